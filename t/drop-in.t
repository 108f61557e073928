#!/usr/bin/perl

# Debian's nginx as it is, with the lines of conf/nginx.conf or of the
# README: takes an upload, tells of it and says that it is being prepared.

use strict;
use warnings;
use lib 't/lib';
use Conf;
use Reel;
use Test::More;

# the distribution's, whatever the other tests run on
delete @ENV{'REEL_NGINX', 'REEL_PRELOAD'};

SKIP: {
    chomp(my $nginx = `command -v nginx 2>/dev/null`);
    my ($package) = `dpkg -S $nginx 2>/dev/null` =~ /^(nginx[^:]*):/;
    skip 'nginx is not from a package here', 1 if !$package;
    unlike(scalar `dpkg -V $package 2>&1`, qr{/sbin/nginx},
        "$package: the binary is the package's");
}


sub conf_file {
    my ($t) = @_;
    return Conf::replace(slurp("$Reel::TOP/conf/nginx.conf"),
        $t->own_places, 'listen 8080;' => "listen 127.0.0.1:$t->{port};",
        "http {\n" => "http {\n" . $t->own_paths);
}


# the block has its places as comments: top level, http { }, server { }
sub readme {
    my ($t) = @_;
    my ($block) = slurp("$Reel::TOP/README.md")
        =~ /^## Put it into your nginx\n.*?^```nginx\n(.*?)^```\n/ms
        or die 'the README has no block of nginx lines';
    my ($top, $http, $server) =
        split /^# inside (?:http|server) \{ \}\n/m, $block;
    like($top, qr/^load_module .*# top level$/m, 'README: top level');
    like($http, qr/^reel_store/m, 'README: inside http { }');
    like($server, qr/^location/m, 'README: inside server { }');
    return Conf::replace("$top\nevents { }\nhttp {\n" . $t->own_paths . $http
        . "server {\nlisten 127.0.0.1:$t->{port};\n$server}\n}\n",
        $t->own_places);
}


sub try_out {
    my ($name, $make) = @_;
    my $t = Conf->new(redis => 1);
    $t->{text} = "pid $t->{dir}/nginx.pid;\n" . $make->($t);
    $t->nginx_start;

    my $body = 'not a film ' x 10000;
    my $r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/a.mp4'),
        body => $body);
    has_status($r, 200, undef, "$name: PUT");
    my $id = $r->{headers}{'reel-asset'} // '';
    is(slurp("$t->{dir}/store/assets/" . substr($id, -2) . "/$id/source"),
        $body, "$name: the bytes are stored");
    ok($t->redis('EXISTS', "reel1:{r0}:job:$id.1"),
        "$name: its job is queued");

    for ('master.m3u8', 'manifest.mpd') {
        $r = http($t, 'GET', "/play/$id/$_");
        has_status($r, 503, 'PREPARING', "$name: $_");
        has_header($r, 'Retry-After', qr/^5$/, "$name: $_");
    }

    $r = http($t, 'GET', "/api/assets/$id",
        headers => signed_headers($t, 'GET', "/api/assets/$id"));
    has_status($r, 200, undef, "$name: the API");
    is(json($r->{body})->{status}, 'preparing', "$name: its state");

    $r = http($t, 'PUT', '/upload/video/a.mp4', body => $body);
    has_status($r, 403, 'AccessDenied', "$name: unsigned");
    unlike($t->log, qr/\[(?:error|crit|alert|emerg)\](?!.*reel: 503)/,
        "$name: nothing bad in the log");
}

try_out('conf/nginx.conf', \&conf_file);
try_out('README', \&readme);

done_testing();
