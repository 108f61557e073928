#!/usr/bin/perl

# Thumbs by time and width, sheets of small pictures and the WebVTT that says
# where each lies: bytes of stored objects, nothing is decoded.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new;
my $a = Asset->new($t, fragments => 30, frames => 2, sheets => 1);
my $bare = Asset->new($t, fragments => 4, poster => 1);
my $none = Asset->new($t, fragments => 4, poster => 0);
my $x;

# 60 s: 30 frames 2 s apart (set 0), 60 tiles 1 s apart on 3 sheets (set 1)
is(scalar @{ $a->{sheet}{0} }, 30, 'frames');
is(scalar @{ $a->{sheet}{1} }, 3, 'sheets');

for my $c (['time=0', 0], ['time=1.999', 0], ['time=2', 1], ['time=2.0', 1],
    ['time=59.9999', 29], ['time=60', 29], ['time=999999999', 29], ['', 3],
    ['time=7&width=1', 3], ['width=9999&time=7', 3], ['token=x&time=20', 10],
    # names as $arg_time of an edge's key takes them: the first one, in any
    # case, never decoded
    ['TIME=20', 10], ['Width=1&tIme=7', 3], ['time=20&time=7', 10],
    ['%74ime=20', 3], ['xtime=20', 3], ['time=%32%30', 10])
{
    my ($query, $n) = @$c;
    $x = http($t, 'GET', $a->url("thumb.jpg?$query"));
    ok($x->{status} == 200 && $x->{body} eq $a->sheet_bytes(0, $n),
        "thumb.jpg?$query is frame $n");
}
has_header($x, 'Content-Type', qr{^image/jpeg$}, 'thumb');
has_header($x, 'Cache-Control', qr/^max-age=5$/, 'thumb');
has_header($x, 'Accept-Ranges', qr/^bytes$/, 'thumb');
my $etag = $x->{headers}{etag};
isnt(http($t, 'GET', $a->url('thumb.jpg?time=0'))->{headers}{etag}, $etag,
    'frames have ETags of their own');
has_status(http($t, 'GET', $a->url('thumb.jpg?time=20'),
    headers => { 'If-None-Match' => $etag }), 304, undef, 'the same thumb');

for my $query ('time=', 'time=-1', 'time=1.', 'time=.5', 'time=1e3',
    'time=0x1', 'time=1.5s', 'time=12345678901', 'time=%', 'width=',
    'width=0', 'width=65536', 'width=1.5', 'width=-3', 'width=x')
{
    has_status(http($t, 'GET', $a->url("thumb.jpg?$query")), 400,
        'BAD_PARAMETER', $query);
}

# without frames the poster; without that nothing
$x = http($t, 'GET', $bare->url('thumb.jpg?time=3'));
ok($x->{status} == 200 && $x->{body} eq $bare->poster_bytes,
    'no frames: the poster');
has_status(http($t, 'GET', $none->url('thumb.jpg')), 404, 'NOT_FOUND',
    'neither');

# sheets
$x = http($t, 'GET', $a->url('storyboard.jpg'));
is($x->{body}, $a->sheet_bytes(1, 0), 'storyboard.jpg is sheet 0');
has_header($x, 'Cache-Control', qr/^max-age=5$/, 'bare');

for my $n (0 .. 2) {
    my $want = $a->sheet_bytes(1, $n);
    $x = http($t, 'GET', $a->url("$n.jpg", 'storyboard', 3));
    is($x->{body}, $want, "sheet $n");
    is(http($t, 'GET', $a->url("$n.jpg", 'storyboard'))->{body}, $want,
        "sheet $n, bare");
    my $h = http($t, 'HEAD', $a->url("$n.jpg", 'storyboard', 3));
    ok($h->{body} eq '' && $h->{headers}{'content-length'} == length $want,
        "HEAD $n");
}
has_header($x, 'Content-Type', qr{^image/jpeg$}, 'sheet');
has_header($x, 'Cache-Control', qr/^public, max-age=31536000, immutable$/,
    'versioned sheet');
$x = http($t, 'GET', $a->url('1.jpg', 'storyboard', 3),
    headers => { Range => 'bytes=2-5' });
ok($x->{status} == 206
    && $x->{body} eq substr($a->sheet_bytes(1, 1), 2, 4), 'range');

has_status(http($t, 'GET', $a->url('3.jpg', 'storyboard', 3)), 404,
    'NOT_FOUND', 'behind the last sheet');
has_status(http($t, 'GET', $bare->url('0.jpg', 'storyboard')), 404,
    'NOT_FOUND', 'no sheets');
has_status(http($t, 'GET', $bare->url('storyboard.vtt')), 404,
    'NOT_FOUND', 'no storyboard');
has_status(http($t, 'GET', "/play/$a->{id}/storyboard~0123456789/0.jpg"),
    404, 'NOT_FOUND', 'another version');
for my $path ('v720/0.jpg', 'storyboard/00.jpg', 'storyboard/.jpg',
    'storyboard/thumb.jpg', 'storyboard~x/0.jpg', 'x/storyboard.vtt')
{
    has_status(http($t, 'GET', "/play/$a->{id}/$path"), 400, 'BAD_PATH',
        $path);
}
has_status(http($t, 'GET', "/play/$a->{id}/storyboard/init.mp4"), 404,
    'NOT_FOUND', 'it is no rendition');

# the WebVTT: each second one tile, in reading order, none twice
$x = http($t, 'GET', $a->url('storyboard.vtt'));
has_header($x, 'Content-Type', qr{^text/vtt}, 'storyboard.vtt');
has_header($x, 'Cache-Control', qr/^max-age=60\b/, 'storyboard.vtt');
my ($head, @cue) = split /\n\n/, $x->{body};
is($head, 'WEBVTT', 'header');
is(scalar @cue, 60, 'cues');
my $wrong = 0;
for my $i (0 .. $#cue) {
    my $tile = $i % 25;
    my $want = sprintf '00:00:%02d.000 --> 00:%02d:%02d.000' . "\n"
        . 'storyboard~%s/%d.jpg#xywh=%d,%d,160,90', $i,
        $i == 59 ? (1, 0) : (0, $i + 1), $a->{hash}{3}, int($i / 25),
        $tile % 5 * 160, int($tile / 5) * 90;
    my $got = $cue[$i] =~ s/\n\z//r;
    $wrong++ if $got ne $want;
}
is($wrong, 0, 'times and places of all tiles') or diag($x->{body});
my ($uri) = $cue[30] =~ /^(storyboard~.*)#/m;
is(http($t, 'GET', $a->url($uri))->{body}, $a->sheet_bytes(1, 1),
    'its URIs are relative to it');

# an object that is too short
truncate $a->file('image/' . $a->{sheet}{0}[0][0]), 5;
has_status(http($t, 'GET', $a->url('thumb.jpg?time=50')), 500, 'BAD_OBJECT',
    'a truncated object');
like($t->log, qr/object ".*jpgs?" has 5 bytes, the index needs/,
    'the log says which');

done_testing();
