#!/usr/bin/perl
# last: a deadline is measured, with slack for a busy machine

# An index that grows, is completed, and is replaced by the next publication.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Reel->new(workers => 2);
my $a = Asset->new($t, fragments => 10, published => 4, growing => 1);
my ($one, $three) = @{ $a->{hash} }{1, 3};

isnt($one, $three, 'the forms have different hashes');

sub get { my $x = http($t, 'GET', $a->url(@_)); return $x; }
sub now_within_1s {
    my ($cond, $name) = @_;
    my $start = time;
    wait_for($cond, $name, 10);
    cmp_ok(time - $start, '<', 5, "$name within a second");
}

# while it grows, a segment is one fragment, and none is promised early
my $x = get('media.m3u8', 'v720', 1);
has_status($x, 200, undef, 'growing playlist');
has_header($x, 'Cache-Control', qr/^max-age=5$/, 'growing playlist');
unlike($x->{body}, qr/ENDLIST/, 'no end yet');
like($x->{body}, qr/PLAYLIST-TYPE:EVENT/, 'an EVENT');
is(scalar(my @s = $x->{body} =~ /^[^#\n].*m4s$/mg), 4, 'four segments');
has_header(get('master.m3u8'), 'Cache-Control', qr/^max-age=5$/, 'master');
like(get('master.m3u8')->{body}, qr/v720~$one/, 'master names that form');

for my $n (0 .. 3) {
    $x = get("$n.m4s", 'v720', 1);
    ok($x->{status} == 200 && $x->{body} eq $a->segment('v720', $n, 1),
        "fragment $n");
    ok(get("$n.m4s", 'v720')->{body} eq $x->{body}, "$n, bare");
}
has_header(get('0.m4s', 'v720', 1), 'Cache-Control', qr/immutable/,
    'a growing form\'s segment is final');
has_status(get('4.m4s', 'v720', 1), 404, 'NOT_FOUND', 'not published yet');

# of the complete form only whole segments are served, and no playlist
ok(get('0.m4s', 'v720', 3)->{body} eq $a->segment('v720', 0, 3),
    'a whole segment of the other form');
has_status(get('1.m4s', 'v720', 3), 404, 'NOT_FOUND', 'half a segment');
has_status(get('media.m3u8', 'v720', 3), 404, 'NOT_FOUND', 'its playlist');

my $etag = get('media.m3u8', 'v720', 1)->{headers}{etag};

# more of it
$a->make(fragments => 10, published => 7, growing => 1);
is($a->{hash}{1}, $one, 'the version stays while it grows');
now_within_1s(sub { get('media.m3u8', 'v720', 1)->{body} =~ /^6\.m4s$/m },
    'more segments');
isnt(get('media.m3u8', 'v720', 1)->{headers}{etag}, $etag, 'another ETag');
ok(get('6.m4s', 'a128', 1)->{body} eq $a->segment('a128', 6, 1), 'served');

# complete: both forms, the old numbers still mean the same bytes
$a->make(fragments => 10);
is("@{ $a->{hash} }{1, 3}", "$one $three", 'both versions stay');
now_within_1s(sub { get('media.m3u8', 'v720', 1)->{body} =~ /ENDLIST/ },
    'the end');
is(scalar(@s = get('media.m3u8', 'v720', 1)->{body} =~ /^[^#\n].*m4s$/mg), 10,
    'who began with the growing form finds the rest in it');
is(scalar(@s = get('media.m3u8', 'v720', 3)->{body} =~ /^[^#\n].*m4s$/mg), 4,
    'the complete form');
like(get('master.m3u8')->{body}, qr/v720~$three/, 'master names it');
has_header(get('master.m3u8'), 'Cache-Control', qr/^max-age=60,/, 'complete');
has_header(get('media.m3u8', 'v720', 1), 'Cache-Control', qr/^max-age=60,/,
    'complete, first form');
for my $per (1, 3) {
    my $wrong = grep { get("$_.m4s", 'v720', $per)->{body}
        ne $a->segment('v720', $_, $per) } 0 .. (10 - 1) / $per;
    is($wrong, 0, "segments of $per");
}

# the next publication: the old version's names are gone
my %old = map { $_ => $a->url('0.m4s', 'v720', $_) } 1, 3;
my $bytes = $a->segment('v720', 0, 3);
my @gone = map { $a->file("v720/$_") } $a->objects('v720');
$a->make(fragments => 10, publication => 2);
isnt($a->{hash}{3}, $three, 'another version');
now_within_1s(sub { http($t, 'GET', $old{3})->{status} == 404 },
    'the old version goes');
has_status(http($t, 'GET', $old{1}), 404, 'NOT_FOUND', 'in both forms');
ok(get('0.m4s', 'v720', 3)->{body} eq $a->segment('v720', 0, 3)
    && $a->segment('v720', 0, 3) ne $bytes, 'the new one plays');
ok(get('0.m4s', 'v720')->{body} eq $a->segment('v720', 0, 3), 'bare too');

# objects of the old one vanish under a cached index: no 500 in between
http($t, 'GET', $a->url('0.m4s', 'v720')) for 1 .. 4;
@gone = map { $a->file("v720/$_") } $a->objects('v720');
my $hashed = $a->url('0.m4s', 'v720', 3);
$a->make(fragments => 10, publication => 3);
unlink @gone;
$x = get('0.m4s', 'v720');
ok($x->{status} == 200 && $x->{body} eq $a->segment('v720', 0, 3),
    'bare: the new bytes at once');
has_status(http($t, 'GET', $hashed), 404, 'NOT_FOUND', 'old name: 404');
unlike($t->log, qr/\[(error|crit|alert)\]/, 'nothing was logged about it');

done_testing;
