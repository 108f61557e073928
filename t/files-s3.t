#!/usr/bin/perl

# reel_play_upstream before a real S3-compatible server: s3rver, of npm.

use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use POSIX ();
use Reel;
use Test::More;

my $modules = "$Reel::TOP/tests/clients/node_modules";
plan skip_all => 'npm has not installed s3rver' if !-d "$modules/s3rver";

my $s3 = Reel::free_port();
my $t = Reel->new(conf => "
    location /films/ { reel_play_files; reel_play_upstream /s3/; }
    location /s3/ { internal; proxy_pass http://127.0.0.1:$s3/films/;
        proxy_http_version 1.1; proxy_set_header Connection \"\"; }");
my $dir = "$t->{dir}/s3";
mkdir $dir or die $!;
my $file = "$t->{dir}/film.mp4";
system(qw(ffmpeg -v error -nostdin -y -f lavfi -i
    testsrc2=size=320x180:rate=10:duration=14 -f lavfi -i
    sine=frequency=440:sample_rate=48000:duration=14 -c:v libx264 -preset
    veryfast -g 20 -bf 2 -pix_fmt yuv420p -c:a aac), $file) == 0 or die;

my $server = fork // die;
if (!$server) {
    exec 'node', '-e', "const S = require('$modules/s3rver');
        new S({ port: $s3, address: '127.0.0.1', silent: true,
            directory: '$dir', configureBuckets: [{ name: 'films' }] })
            .run();" or POSIX::_exit(1);
}
END { local $?; if ($server) { kill 'KILL', $server; waitpid $server, 0 } }
wait_for(sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$s3") },
    'the S3 server listens', 30);

my $put = http({ port => $s3 }, 'PUT', '/films/a%20b/one.mp4',
    body => slurp($file), headers => { 'Content-Type' => 'video/mp4' });
has_status($put, 200, undef, 'an object is put');

sub stream {
    my ($in, $kind) = @_;
    open my $p, '-|', qw(ffmpeg -v error -nostdin -i), $in, '-map', "0:$kind",
        qw(-c copy -f streamhash -hash md5 -) or die;
    local $/;
    return scalar <$p>;
}

my $base = "http://127.0.0.1:$t->{port}/films/a%20b/one.mp4";
my $want = stream($file, 'v');
like($want, qr/MD5=\w{32}/, 'it has pictures');
for my $m ('master.m3u8', 'manifest.mpd') {
    has_status(http($t, 'GET', "/films/a%20b/one.mp4/$m"), 200, undef, $m);
    is(stream("$base/$m", 'v'), $want, "$m: pictures");
    like(stream("$base/$m", 'a'), qr/MD5=\w{32}/, "$m: sound");
}
has_status(http($t, 'GET', '/films/a%20b/none.mp4/master.m3u8'), 404,
    'NOT_FOUND', 'no such key');
is(scalar(() = $t->log =~ /\[(?:crit|alert|emerg)\]/g), 0,
    'nothing bad in the log');

done_testing();
