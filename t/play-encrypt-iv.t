#!/usr/bin/perl

# Never the same key and IV twice: all that is sent of an asset, of all
# renditions, schemes, forms and publications, says where its counters begin.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new(http => 'reel_master_keys master.json;', conf => '
    location /cenc/ { reel_play; reel_encryption cenc; }
    location /rot/ { reel_play; reel_encryption cenc; reel_key_rotation 2; }
    location /cbcs/ { reel_play; reel_encryption cbcs; reel_key_rotation 2; }
    location /aes/ { reel_play; reel_encryption aes-128; }
    location /sats/ { reel_play; reel_encryption sample-aes;
        reel_hls_segments ts; reel_key_rotation 2; }
    location /aests/ { reel_play; reel_encryption aes-128;
        reel_hls_segments ts; reel_key_rotation 2; }');

my @renditions = ('v720', 'v360', 'a128', 'a64');
my $a = Asset->new($t, fragments => 12, object => 5, renditions =>
    ['v720:video:30000', 'v360:video:30000', 'a128:audio:6000',
     'a64:audio:3000']);

sub get {
    my ($path) = @_;
    my $x = http($t, 'GET', $path);
    is($x->{status}, 200, $path) if $x->{status} != 200;
    return $x->{body};
}

# [type, payload] of the boxes in a string
sub boxes {
    my ($s) = @_;
    my ($at, @all) = (0);
    while ($at + 8 <= length $s) {
        my ($n, $type) = unpack 'Na4', substr $s, $at, 8;
        push @all, [$type, substr $s, $at + 8, $n - 8];
        $at += $n;
    }
    return @all;
}

sub find {
    my ($s, @path) = @_;
    my $type = shift @path;
    return map { @path ? find($_->[1], @path) : $_->[1] }
        grep { $_->[0] eq $type } boxes($s);
}

# IV, blocks and the bytes of each sample of a cenc segment
sub samples {
    my ($s) = @_;
    my @all;
    my @top = boxes($s);
    while (@top) {
        my ($moof, $mdat) = splice @top, 0, 2;
        my ($senc) = find($moof->[1], 'traf', 'senc');
        my ($trun) = find($moof->[1], 'traf', 'trun');
        my ($tfhd) = find($moof->[1], 'traf', 'tfhd');
        my ($flags, $n) = unpack 'NN', $senc;
        my $tf = unpack 'N', $trun;
        my ($p, $q, $at) = (8, 12 + ($tf & 4 ? 4 : 0), 0);
        my $same = unpack 'N', substr $tfhd, 8 + (unpack('N', $tfhd) & 8
            ? 4 : 0);
        for (1 .. $n) {
            my $size = $same;
            $q += 4 if $tf & 0x100;
            if ($tf & 0x200) { $size = unpack 'N', substr $trun, $q; $q += 4 }
            $q += 4 if $tf & 0x800;
            my $iv = substr $senc, $p, 8;
            $p += 8;
            my $hidden = $size;
            if ($flags & 2) {
                my $k = unpack 'n', substr $senc, $p;
                my @subs = unpack '(nN)*', substr $senc, $p + 2, 6 * $k;
                $p += 2 + 6 * $k;
                $hidden = 0;
                $hidden += $subs[2 * $_ + 1] for 0 .. $k - 1;
            }
            push @all, [$iv, int(($hidden + 15) / 16),
                substr $mdat->[1], $at, $size] if $hidden;
            $at += $size;
        }
    }
    return @all;
}

my (%used, %constant, %keys);
my ($samples, $again, $repeats) = (0, 0, 0);

# the same counter twice must be of the same bytes: an I-frame by itself
sub use_counter {
    my ($key, $iv, $bytes, $what) = @_;
    my $name = unpack('H*', $key) . unpack 'H*', $iv;
    if (defined $used{$name}) {
        $again++;
        return if $used{$name} eq $bytes;
        $repeats++;
        diag "twice: $what";
    }
    $used{$name} = $bytes;
    $samples++;
}

for my $publication (1, 2) {
    $a->make(fragments => 12, object => 5, publication => $publication)
        if $publication > 1;
    sleep 2 if $publication > 1;

    for my $where ('cenc', 'rot') {
        for my $r (@renditions) {
            my $kind = $r =~ /^v/ ? 'video' : 'audio';
            for my $n (0 .. 3) {
                my $period = $where eq 'rot' ? int $n / 2 : 0;
                my $key = get("/$where/$a->{id}/$kind/$period.key");
                $keys{$key} = 1;
                use_counter($key, $_->[0], $_->[2], "$where $r $n")
                    for samples(get("/$where/$a->{id}/$r/$n.m4s"));
            }
            next if $kind ne 'video';
            for my $f (0, 7, 11) {
                my $period = $where eq 'rot' ? int $f / 6 : 0;
                my $key = get("/$where/$a->{id}/$kind/$period.key");
                use_counter($key, $_->[0], $_->[2], "$where $r I $f")
                    for samples(get("/$where/$a->{id}/$r/$f.iframe.m4s"));
            }
        }
    }

    # cbcs: a key and a constant IV belong to one rendition in one period
    for my $r (@renditions) {
        my $kind = $r =~ /^v/ ? 'video' : 'audio';
        for my $n (0 .. 3) {
            my $period = int $n / 2;
            my $key = get("/cbcs/$a->{id}/$kind/$period.key");
            $keys{$key} = 1;
            my ($moof) = find(get("/cbcs/$a->{id}/$r/$n.m4s"), 'moof');
            my ($sgpd) = find($moof, 'traf', 'sgpd');
            is(ord substr($sgpd, 36, 1), 16, 'an IV of 16 bytes')
                if $n == 0;
            my $iv = substr $sgpd, 37, 16;
            my $name = unpack 'H*', "$key$iv";
            my $owner = "$publication $r $period";
            $repeats++ if ($constant{$name} //= $owner) ne $owner;
        }

        # in transport streams they are others, which the playlist tells
        my @tags = get("/sats/$a->{id}/$r/media.m3u8")
            =~ /^#EXT-X-KEY:(.*)$/mg;
        for my $period (0, 1) {
            my ($iv) = $tags[$period] =~ /,IV=0x([0-9a-f]{32})/;
            my $key = unpack 'H*', get("/sats/$a->{id}/$kind/$period.key");
            my $owner = "$publication $r $period ts";
            $repeats++ if ($constant{"$key$iv"} //= $owner) ne $owner;
        }
    }

    # AES-128: the number of a segment, with keys of one rendition and form
    for my $where ('aes', 'aests') {
        for my $r (@renditions) {
            for my $n (0 .. 3) {
                my $ext = $where eq 'aes' ? 'm4s' : 'ts';
                my $period = $where eq 'aests' ? int $n / 2 : 0;
                my $key = get("/$where/$a->{id}/$r/$period.key");
                $keys{$key} = 1;
                use_counter($key, pack('N', $n),
                    get("/$where/$a->{id}/$r/$n.$ext"), "$where $r $n");
            }
            next if $r !~ /^v/;
            my $key = get("/$where/$a->{id}/$r/0.iframe.key");
            use_counter($key, pack('N', $_),
                get("/$where/$a->{id}/$r/$_.iframe.m4s"), "$where $r I $_")
                for 0 .. 3;
        }
    }
}

is($repeats, 0, 'no key and IV stands for two things');
cmp_ok($samples, '>', 2000, "of $samples counters");
cmp_ok($again, '>', 10, 'I-frames by themselves are the same samples');
is(scalar keys %constant, 2 * 4 * 2 * 2, 'each rendition and period its own IV');
is(scalar keys %keys, 2 * (4 + 4 + 4 + 8), 'and keys of their own');

done_testing;
