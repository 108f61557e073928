#!/usr/bin/perl

# Subtitles: a segment has the cues that are seen in it, whole, and the whole
# is the stored object.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new;
my $a = Asset->new($t, fragments => 14,
    renditions => ['v720:video:4000', 't-en:text:20:language=en']);
my $file = slurp($a->file('t-en/' . $a->{fragment}{'t-en'}[0][0]));
my ($wrong, $x) = (0);

sub ms { my ($h, $m, $s) = split /:/, $_[0]; return (($h * 60 + $m) * 60 + $s) * 1000; }

my @cue = map { my ($from, $to) = /^(\S+) --> (\S+)/; [ms($from), ms($to), $_] }
    grep { /-->/ } split /\n\n/, $file;
cmp_ok(scalar @cue, '>', 8, 'the asset has cues');
ok((grep { int($_->[0] / 2000) != int(($_->[1] - 1) / 2000) } @cue) >= 1,
    'some of which go on into the next segment');

for my $per (1, 3) {
    for my $n (0 .. int(13 / $per)) {
        my ($from, $to) = ($n * $per * 2000, ($n + 1) * $per * 2000);
        my $want = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
            . join '', map { ($_->[2] =~ s/\n*\z//r) . "\n\n" }
            grep { $_->[0] < $to && $_->[1] > $from } @cue;
        $x = http($t, 'GET', $a->url("$n.vtt", 't-en', $per));
        $wrong++, diag("$per $n: $x->{body}, not $want")
            if $x->{status} != 200 || $x->{body} ne $want;
        my $h = http($t, 'HEAD', $a->url("$n.vtt", 't-en', $per));
        $wrong++ if $h->{headers}{'content-length'} != length $want
            || $h->{body} ne '';
    }
}
is($wrong, 0, 'each segment has its cues, HEAD has the length');
has_header($x, 'Content-Type', qr{^text/vtt}, 'segment');
has_header($x, 'Cache-Control', qr/^public, max-age=31536000, immutable$/,
    'versioned segment');
has_status(http($t, 'GET', $a->url('4.vtt', 't-en', 3),
    headers => { 'If-None-Match' => $x->{headers}{etag} }), 304, undef,
    'the same segment');
$x = http($t, 'GET', $a->url('0.vtt', 't-en', 3),
    headers => { Range => 'bytes=0-5' });
ok($x->{status} == 206 && $x->{body} eq 'WEBVTT', 'range');

$x = http($t, 'GET', $a->url('subtitles.vtt', 't-en', 3));
is($x->{body}, $file, 'the whole is the object');
has_header($x, 'Content-Type', qr{^text/vtt}, 'whole');
has_header(http($t, 'GET', $a->url('subtitles.vtt', 't-en')),
    'Cache-Control', qr/^max-age=5$/, 'bare');

has_status(http($t, 'GET', $a->url('5.vtt', 't-en', 3)), 404, 'NOT_FOUND',
    'behind the last segment');
for my $c (['0.m4s', 't-en'], ['init.mp4', 't-en'], ['0.vtt', 'v720'],
    ['subtitles.vtt', 'v720'])
{
    has_status(http($t, 'GET', $a->url(@$c)), 404, 'NOT_FOUND', "@$c");
}
has_status(http($t, 'GET', $a->url('01.vtt', 't-en')), 400, 'BAD_PATH',
    'one spelling');

# damage
my $path = $a->file('t-en/' . $a->{fragment}{'t-en'}[0][0]);
open my $f, '+<', $path or die;
print $f 'WEBVTX';
close $f;
has_status(http($t, 'GET', $a->url('0.vtt', 't-en', 3)), 500, 'BAD_OBJECT',
    'no WebVTT');
like($t->log, qr/segment 0 of text "t-en" in asset "\S+" cannot be cut: /,
    'the log says which');
truncate $path, 20;
has_status(http($t, 'GET', $a->url('2.vtt', 't-en', 3)), 500, 'BAD_OBJECT',
    'a truncated object');

done_testing();
