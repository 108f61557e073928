#!/usr/bin/perl

# Broken files of the store: a 500 and a line that names the file; never a
# short 200.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Reel->new;

sub logged {
    my ($like, $name) = @_;
    my @lines = grep { /$like/ } split /\n/, $t->log;
    is(scalar @lines, 1, "$name: one line names it") or diag $t->log;
}

sub cut_file {
    my ($file, $len) = @_;
    truncate $file, $len or die "$file: $!";
}

# an object that ends too early
my $a = Asset->new($t, fragments => 12);
my ($object, $off, $size) = @{ $a->{fragment}{v720}[5] };
cut_file($a->file("v720/$object"), $off + $size - 1);
ok(http($t, 'GET', $a->url('0.m4s', 'v720', 3))->{body}
    eq $a->segment('v720', 0, 3), 'what lies before the end plays');
my $x = http($t, 'GET', $a->url('1.m4s', 'v720', 3));
has_status($x, 500, 'BAD_OBJECT', 'truncated in the segment');
unlike($x->{body}, qr{/store/|\Q$object\E}, 'no path is told');
has_header($x, 'Access-Control-Allow-Origin', qr/^\*$/, '500');
is($x->{headers}{etag}, undef, 'no ETag');
has_header($x, 'Cache-Control', qr/^no-store$/, '500');
my ($first) = @{ $a->{fragment}{v720}[3] }[1];
logged(qr/object ".*\Q$object\E" has \d+ bytes.* at offset $first\b/,
    'truncated');
has_status(http($t, 'HEAD', $a->url('1.m4s', 'v720', 3)), 500, undef, 'HEAD');
has_status(http($t, 'GET', $a->url('3.m4s', 'v720', 3)), 500, 'BAD_OBJECT',
    'wholly behind the end');

# the second object of two
my $b = Asset->new($t, fragments => 12);
cut_file($b->file('v720/' . ($b->objects('v720'))[1]), 100);
has_status(http($t, 'GET', $b->url('0.m4s', 'v720', 3)), 500, 'BAD_OBJECT',
    'the second of two');

# an object that is gone while its asset is not
unlink $b->file('a128/' . ($b->objects('a128'))[0]) or die $!;
has_status(http($t, 'GET', $b->url('0.m4s', 'a128', 3)), 500, 'BAD_OBJECT',
    'gone');
logged(qr/object ".*a128.*" of the index is missing/, 'gone');

# a folder in its place
my $c = Asset->new($t, fragments => 3, renditions => ['v720:video:9000']);
unlink $c->file('v720/' . ($c->objects('v720'))[0]) or die $!;
mkdir $c->file('v720/' . ($c->objects('v720'))[0]) or die $!;
has_status(http($t, 'GET', $c->url('0.m4s', 'v720', 3)), 500, 'BAD_OBJECT',
    'a folder');
cut_file($c->file('image/' . $c->{poster}[0]), 10);
has_status(http($t, 'GET', $c->url('poster.jpg')), 500, 'BAD_OBJECT',
    'a truncated poster');

# indexes
my $good = slurp($c->file('index'));
my %bad = (
    'one bit' => do { my $s = $good; substr($s, 60, 1) ^= "\x01"; $s },
    'cut' => substr($good, 0, -5),
    'empty' => '',
    'text' => "hello\n" x 100,
    'magic only' => substr($good, 0, 8),
    'newer' => do { my $s = $good; substr($s, 10, 2) = "\x09\x00"; $s },
);
for my $name (sort keys %bad) {
    my $d = Asset->new($t, fragments => 3,
        renditions => ['v720:video:9000']);
    spew($d->file('index'), $bad{$name});
    has_status(http($t, 'GET', $d->url('master.m3u8')), 500, 'BAD_INDEX',
        $name);
    logged(qr/bad index ".*$d->{id}\/index": \w+, \S/, $name);

    # repaired: at once
    spew($d->file('index'), $good);
    has_status(http($t, 'GET', $d->url('master.m3u8')), 200, undef,
        "$name, repaired");
}

# one that turns bad while it is cached
my $e = Asset->new($t, fragments => 3, renditions => ['v720:video:9000']);
has_status(http($t, 'GET', $e->url('master.m3u8')), 200, undef, 'cached');
spew($e->file('index.new'), $bad{'cut'});
rename $e->file('index.new'), $e->file('index') or die $!;
sleep 1.1;
has_status(http($t, 'GET', $e->url('master.m3u8')), 500, 'BAD_INDEX',
    'turned bad');

open my $f, '>', $e->file('index') or die $!;
truncate $f, 17 << 20;
close $f;
has_status(http($t, 'GET', $e->url('master.m3u8')), 500, 'BAD_INDEX',
    'over 16 MiB');

# result.json
my $g = Asset->new($t, fragments => 3, renditions => ['v720:video:9000']);
unlink $g->file('index');
spew($g->file('request.json'), '{}');
spew($g->file('result.json'), '{"asset":');
has_status(http($t, 'GET', $g->url('master.m3u8')), 500, 'STORE_FAILED',
    'a broken result.json');
logged(qr/\Q$g->{id}\E\/result\.json" failed: baddata, \S/,
    'result.json');

done_testing;
