#!/usr/bin/perl

# The README's nginx.conf for a folder of films, with Debian's nginx as it is,
# the module, and nothing else: no store, no keys, no Redis, no worker.

use strict;
use warnings;
use lib 't/lib';
use Conf;
use File::Path qw(make_path);
use Reel;
use Test::More;

delete @ENV{'REEL_NGINX', 'REEL_PRELOAD'};

my ($block) = slurp("$Reel::TOP/README.md")
    =~ /This is a whole nginx\.conf:.*?^```nginx\n(.*?)^```\n/ms
    or die 'the README has no such block';
cmp_ok(scalar(() = $block =~ /\n/g), '<=', 10, 'ten lines');

my $t = Conf->new;
make_path("$t->{dir}/films");
my $file = "$t->{dir}/films/any.mp4";
system(qw(ffmpeg -v error -nostdin -y -f lavfi -i
    testsrc2=size=160x90:rate=10:duration=14 -f lavfi -i
    sine=frequency=440:sample_rate=48000:duration=14 -c:v libx264 -preset
    veryfast -g 20 -bf 2 -pix_fmt yuv420p -c:a aac), $file) == 0 or die;

# places alone are another's
$t->{text} = "pid $t->{dir}/nginx.pid;\n" . Conf::replace($block,
    'modules/ngx_http_reel_module.so;' => Conf::module() . ';',
    "http {\n" => "http {\n" . $t->own_paths,
    'listen 8080;' => "listen 127.0.0.1:$t->{port};",
    'alias /srv/films/;' => "alias $t->{dir}/films/;");
$t->nginx_start;

sub pictures {
    my ($in) = @_;
    open my $p, '-|', qw(ffmpeg -v error -nostdin -i), $in,
        qw(-map 0:v -c copy -f streamhash -hash md5 -) or die;
    local $/;
    return scalar <$p>;
}

my $base = "http://127.0.0.1:$t->{port}/films/any.mp4";
my $want = pictures($file);
like($want, qr/MD5=\w{32}/, 'the film has pictures');
for my $m ('master.m3u8', 'manifest.mpd') {
    has_status(http($t, 'GET', "/films/any.mp4/$m"), 200, undef, $m);
    is(pictures("$base/$m"), $want, "$m plays");
}
has_status(http($t, 'GET', '/films/none.mp4/master.m3u8'), 404, 'NOT_FOUND',
    'another film');
is(scalar(() = $t->log =~ /\[(?:error|crit|alert|emerg)\]/g), 0,
    'nothing bad in the log');

done_testing();
