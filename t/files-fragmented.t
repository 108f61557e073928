#!/usr/bin/perl

# reel_play_files: files of fragments, as several writers make them, and one
# that is still being written.

use strict;
use warnings;
use lib 't/lib';
use Film;
use Reel;
use Test::More;

my $t = Reel->new(conf => 'location /films/ { alias FILMS/; reel_play_files; }',
    idle => 1);
my $films = "$t->{dir}/films";
mkdir $films or die;
$t->{o}{conf} =~ s/FILMS/$films/;

my %forms = (
    plain => [],
    keys => [qw(-movflags frag_keyframe+empty_moov+default_base_moof)],
    cmaf => [qw(-movflags cmaf+dash+global_sidx -frag_duration 700000)],
    base => [qw(-movflags frag_keyframe+empty_moov)],
    separate => [qw(-movflags frag_keyframe+separate_moof)],
    frames => [qw(-movflags frag_every_frame+empty_moov)],
    smooth => [qw(-movflags frag_keyframe -f ismv)],
);
film("$films/plain.mp4", qw(-f lavfi -i
    testsrc2=size=160x90:rate=10:duration=14 -f lavfi -i
    sine=frequency=440:sample_rate=48000:duration=13.9 -c:v libx264 -preset
    ultrafast -g 20 -bf 2 -pix_fmt yuv420p -c:a aac -b:a 64k));
ffmpeg('-i', "$films/plain.mp4", map { ('-c', 'copy', @{ $forms{$_} },
    "$films/$_.mp4") } grep { $_ ne 'plain' } keys %forms);
$t->nginx_start;

my $base = "http://127.0.0.1:$t->{port}/films";
my $picture = stream("$films/plain.mp4", 'v');
my %played;
@played{sort keys %forms} =
    streams(map { ["$base/$_.mp4/master.m3u8", 'v'] } sort keys %forms);
for my $form (sort keys %forms) {
    is($played{$form}, $picture, $form);
    my $l = http($t, 'GET', "/films/$form.mp4/v90/media.m3u8")->{body};
    my $sum = 0;
    $sum += $_ for $l =~ /#EXTINF:([\d.]+),/g;
    # without an edit list pictures begin two of them behind the sound
    cmp_ok(abs($sum - 14), '<', 0.201, "$form: all of it ($sum s)");
    is(scalar(() = $l =~ /#EXTINF/g), 3, "$form: three segments");
}
is(stream("$base/keys.mp4/manifest.mpd", 'v'), $picture, 'by DASH as well');
is(stream("$base/keys.mp4/master.m3u8", 'a'), stream("$films/keys.mp4", 'a'),
    'all units of sound, where nothing says that one is of priming');

# --- one that grows ------------------------------------------------------------

my $whole = slurp("$films/keys.mp4");
my @ends;
for (my $at = 0; $at < length $whole; ) {
    my ($size, $type) = unpack 'N a4', substr $whole, $at, 8;
    $at += $size;
    push @ends, $at if $type eq 'mdat';
}
cmp_ok(scalar @ends, '>=', 7, 'a fragment for each GOP');

sub seconds {
    my $x = http($t, 'GET', '/films/grows.mp4/v90/media.m3u8');
    return $x->{status} if $x->{status} != 200;
    my $sum = 0;
    $sum += $_ for $x->{body} =~ /#EXTINF:([\d.]+),/g;
    return int($sum + 0.5);
}
my $url = '/films/grows.mp4';
sub names { [http($t, 'GET', "$url/v90/media.m3u8")->{body} =~ /^([^#\n]+)/mg] }
spew("$films/grows.mp4", substr $whole, 0, $ends[0] - 1000);
is(seconds(), 422, 'no fragment is whole yet');
my ($names, @bodies);
for my $c ([$ends[0], 2], [$ends[2] + 100, 6],
    [$ends[3] - 10, 6], [$ends[6], 14])
{
    $names = names() if $c->[1] == 14;
    @bodies = map { http($t, 'GET', "$url/v90/$_") } @$names;
    my ($size, $want) = @$c;
    spew("$films/grows.mp4", substr $whole, 0, $size);
    wait_for(sub { seconds() eq $want }, "$size bytes: $want s");
}
is(stream("$base/grows.mp4/master.m3u8", 'v'), $picture, 'all of it');

# what was there keeps its name, and is checked anew
my $now = names();
is(join(' ', @$now[0 .. $#$names]), "@$names", 'names of a file that grew');
for (0, 1) {
    my $old = $bodies[0];
    my $x = http($t, 'GET', "$url/v90/$now->[0]", headers => $_
        ? { 'If-None-Match' => $old->{headers}{etag} } : {});
    is($x->{status}, 200, 'another ETag');
    is($x->{body}, $old->{body}, 'the same bytes');
    is($x->{headers}{'cache-control'}, 'max-age=5', 'for a while');
}
utime time - 100, time - 100, "$films/grows.mp4";
wait_for(sub { names()->[0] ne $now->[0] }, 'a film that is complete');
my $x = http($t, 'GET', "$url/v90/" . names()->[0]);
is($x->{body}, $bodies[0]{body}, 'has the same, by another name');
like($x->{headers}{'cache-control'}, qr/immutable/, 'for ever');
is(http($t, 'GET', "$url/v90/$now->[0]")->{body}, $x->{body},
    'and who began with the other goes on with it');
rename "$films/frames.mp4", "$films/grows.mp4" or die;
utime undef, undef, "$films/grows.mp4";
wait_for(sub { http($t, 'GET', "$url/v90/$now->[0]")->{status} == 404 },
    'another film has none of these names');
is(http($t, 'GET', "$url/v90/" . names()->[0])->{status}, 200,
    'but some of its own');

# --- damaged -------------------------------------------------------------------

my %answers;
my $moof = index($whole, 'moof') - 4;
my $size = unpack 'N', substr $whole, $moof, 4;
for my $i (0 .. 23) {
    my $bad = $whole;
    my $at = $moof + 8 + int(($size - 12) * $i / 24);
    substr($bad, $at, 4) = $i % 3 == 0 ? "\xff\xff\xff\xff"
        : $i % 3 == 1 ? "\0\0\0\0" : "\x7f\xff\xff\xf0";
    spew("$films/bad$i.mp4", $bad);
    $answers{http($t, 'GET', "/films/bad$i.mp4/master.m3u8")->{status}}++;
    http($t, 'GET', "/films/bad$i.mp4/$_/0.m4s") for 'v90', 'a1';
}
is(join(' ', grep { !/^(200|422)$/ } keys %answers), '',
    'each is played or refused: ' . join ', ',
    map { "$answers{$_} x $_" } sort keys %answers);
like($t->log, qr/bad\d+\.mp4" cannot be played: (moof|traf|tfhd|trun)[^\n]*near offset $moof/,
    'the log names box and offset');

unlike($t->log, qr/\[(alert|crit)\]/, 'nothing alarming in the log');
done_testing;
