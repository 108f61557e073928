#!/usr/bin/perl

# reel_upload_sync: whether a worker syncs what uploads bring. The answers are
# the same, and so is what another worker finds when one was killed.

use strict;
use warnings;
use lib 't/lib';
use Reel;
use S3;
use Test::More;
use Tus;

plan skip_all => 'strace is not installed'
    if system('strace -V >/dev/null 2>&1') != 0;
plan skip_all => 'ptrace is refused'
    if system('strace -o /dev/null true 2>/dev/null') != 0;

my $t = Reel->new(conf => 'location /upload/ { reel_upload; }
    location /fast/ { reel_upload; reel_upload_sync off;
        location /fast/api/ { reel_api; } }');

# the syncs of all of a worker's threads while code runs
sub syncs {
    my ($code) = @_;
    my ($worker) = $t->workers;
    my ($out, $said) = ("$t->{dir}/strace", "$t->{dir}/strace.said");
    unlink $said;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDERR, '>', $said or die $!;
        exec 'strace', '-f', '-e', 'trace=fsync,fdatasync,sync_file_range,'
            . 'syncfs,sync,linkat', '-o', $out, '-p', $worker;
        exit 1;
    }
    wait_for(sub { -e $said && slurp($said) =~ /attached/ }, 'strace attaches');
    $code->();
    kill 'INT', $pid;
    waitpid $pid, 0;
    my @calls = split /\n/, slurp($out);
    cmp_ok(scalar(grep { /linkat\(/ } @calls), '>', 0, 'it was traced');
    return scalar grep { /sync[a-z_]*\(/ } @calls;
}

sub put {
    my ($at) = @_;
    my $body = 'put' x 5000;
    my $r = http($t, 'PUT', presign($t, 'PUT', "$at/video/a.mp4"),
        body => $body);
    has_status($r, 200, undef, "$at: PutObject");
    is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), $body,
        "$at: its bytes");
}

sub parts {
    my ($at) = @_;
    my $path = "$at/video/b.mp4";
    my $id = s3_create($t, $path);
    my @parts = ('p' x (5 << 20), 'the end');
    my @etags = map { s3_part($t, $path, $id, $_, $parts[$_ - 1])
        ->{headers}{etag} } 1, 2;
    my $r = s3_complete($t, $path, $id, [1, $etags[0], 2, $etags[1]]);
    has_status($r, 200, undef, "$at: parts");
    ok(slurp(asset_source($t, $r->{headers}{'reel-asset'})) eq join('', @parts),
        "$at: their bytes");
}

sub appended {
    my ($at) = @_;
    my $url = create($t, 10, path => "$at/video/");
    is(patch($t, $url, 0, '01234')->{status}, 204, "$at: a PATCH");
    is(offset($t, $url), 5, "$at: is acknowledged");
    my $r = patch($t, $url, 5, '56789');
    is($r->{status}, 204, "$at: the last");
    is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), '0123456789',
        "$at: all bytes");
}

for (['put', \&put, 5], ['parts', \&parts, 9], ['appended', \&appended, 7]) {
    my ($name, $do, $least) = @$_;
    cmp_ok(syncs(sub { $do->('/upload') }), '>=', $least, "$name: synced");
    is(syncs(sub { $do->('/fast') }), 0, "$name: nothing is synced");
}

# nested in it, an API that changes what is durable
my $r = http($t, 'PUT', presign($t, 'PUT', '/fast/video/c.mp4'), body => 'c');
my $asset = $r->{headers}{'reel-asset'};
my $delete = "/fast/api/assets/$asset";
cmp_ok(syncs(sub {
    has_status(http($t, 'DELETE', $delete, headers => signed_headers($t,
        'DELETE', $delete)), 204, undef, 'DELETE');
}), '>', 0, 'a deletion is synced');

# killed with bytes acknowledged, and with others on their way
my $url = create($t, 2_000_000, path => '/fast/video/');
is(patch($t, $url, 0, 'a' x 100_000)->{status}, 204, 'some bytes');
my $held = held_patch($t, $url, 100_000, 1_900_000,
    'b' x 1_200_000);
my ($id) = $url =~ m{([^/]+)\z};
wait_for(sub { -s "$t->{dir}/store/uploads/$id/data" > 100_000 },
    'more bytes');
my ($old) = $t->workers;
kill 'KILL', $old;
wait_for(sub { my ($new) = $t->workers; $new && $new != $old },
    'another worker');
close $held;
my $at = wait_for(sub { offset($t, $url) }, 'HEAD');
cmp_ok($at, '>=', 100_000, 'what was acknowledged is there');
$r = patch($t, $url, $at, 'b' x (2_000_000 - $at));
is($r->{status}, 204, 'and the rest follows');
ok(slurp(asset_source($t, $r->{headers}{'reel-asset'}))
    eq 'a' x 100_000 . 'b' x 1_900_000, 'all bytes, once');

done_testing();
