#!/usr/bin/perl

# The same bytes by every way that nginx has to send files, and what reaches
# a segment through other modules.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my %way = (
    plain => 'sendfile off; aio off;',
    sendfile => 'sendfile on; aio off;',
    corked => 'sendfile on; aio off; tcp_nopush on;',
    chunk => 'sendfile on; aio off; sendfile_max_chunk 20k;',
    threads => 'sendfile on; aio threads; tcp_nopush on;',
    reads => 'sendfile off; aio threads; output_buffers 2 8k;',
    direct => 'sendfile off; aio off; directio 4k;',
    cached => 'sendfile on; open_file_cache max=10; open_file_cache_errors on;',
    nagle => 'sendfile on; tcp_nopush on; tcp_nodelay off;',
    slow => 'sendfile on; limit_rate 2m;',
    links => 'sendfile on; disable_symlinks on;',
);
my $locations = join '', map {
    "location /$_/ { reel_play; $way{$_} }\n" } sort keys %way;

my $t = Reel->new(conf => "location /play/ { reel_play; }\n" . $locations . '
    location /ranged/ { slice 4k; reel_play; }
    location /auth/ { auth_request /yes; reel_play; }
    location /yes { return 204; }');

my $a = Asset->new($t, fragments => 16, object => 4,
    renditions => ['v720:video:30000', 'a128:audio:4500']);

for my $way (sort keys %way, qw(ranged auth)) {
    my $wrong = 0;
    for my $r ('v720', 'a128') {
        for my $n (0 .. 5) {
            my $want = $a->segment($r, $n, 3);
            (my $url = $a->url("$n.m4s", $r, 3)) =~ s{^/play}{/$way};
            my $x = http($t, 'GET', $url);
            $wrong++ if $x->{status} != 200 || $x->{body} ne $want;
            my $from = int(length($want) / 5) + 517 * ($n % 3);
            my $to = length($want) - 100 * $n - 1;
            $x = http($t, 'GET', $url,
                headers => { Range => "bytes=$from-$to" });
            $wrong++ if $x->{status} != 206
                || $x->{body} ne substr $want, $from, $to - $from + 1;
        }
    }
    is($wrong, 0, "$way: 12 segments and as many ranges");
}

# many segments on one connection, as a player asks for them
for my $way (qw(sendfile corked threads)) {
    my @n = (0 .. 4) x 3;
    (my $prefix = $a->url('', 'a128', 3)) =~ s{^/play}{/$way};
    my $in = raw($t, join '', map { "GET $prefix$n[$_].m4s HTTP/1.1\r\n"
        . "Host: x\r\n" . ($_ == $#n ? "Connection: close\r\n" : '')
        . "\r\n" } 0 .. $#n);
    my $wrong = 0;
    for my $n (@n) {
        my $want = $a->segment('a128', $n, 3);
        $in =~ s/\AHTTP\/1\.1 200 OK\r\n.*?\r\n\r\n//s or $wrong++;
        $wrong++ if substr($in, 0, length $want, '') ne $want;
    }
    is("$wrong " . length $in, '0 0', "$way: 15 segments on one connection");
}

# a link in the store is not followed where the location says so
my $object = $a->file('v720/' . ($a->objects('v720'))[0]);
rename $object, "$object.moved" or die $!;
symlink "$object.moved", $object or die $!;
(my $linked = $a->url('0.m4s', 'v720', 3)) =~ s{^/play}{/links};
has_status(http($t, 'GET', $linked), 500, 'STORE_FAILED', 'a link');
(my $other = $linked) =~ s{^/links}{/sendfile};
has_status(http($t, 'GET', $other), 200, undef, 'elsewhere it is followed');

# HTTP/2 and TLS
SKIP: {
    my $curl = `curl --version 2>/dev/null`;
    skip 'curl without HTTP/2', 2 if $curl !~ /HTTP2/;
    skip 'no openssl', 2 if system('openssl version >/dev/null 2>&1') != 0;

    my $port = Reel::free_port();
    my $tls = Reel::free_port();
    my $cert = "$t->{dir}/cert";
    system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost "
        . "-days 2 -keyout $cert.key -out $cert.pem >/dev/null 2>&1") == 0
        or die 'openssl req failed';
    $t->nginx_stop;
    $t->{o}{http} = "server { listen 127.0.0.1:$port http2; tcp_nopush on;
        location /play/ { reel_play; } }
        server { listen 127.0.0.1:$tls ssl; ssl_certificate $cert.pem;
        ssl_certificate_key $cert.key; location /play/ { reel_play; } }";
    $t->nginx_start;

    for my $c (["http://127.0.0.1:$port", '--http2-prior-knowledge'],
        ["https://127.0.0.1:$tls", '-k'])
    {
        my ($base, $option) = @$c;
        my $wrong = 0;
        for my $n (0 .. 5) {
            my $out = `curl -s $option $base${\ $a->url("$n.m4s", 'v720', 3)}`;
            $wrong++ if $out ne $a->segment('v720', $n, 3);
            $out = `curl -s $option -r 5000-30000 $base${\ $a->url("$n.m4s",
                'v720', 3)}`;
            $wrong++ if $out ne substr $a->segment('v720', $n, 3), 5000,
                25001;
        }
        is($wrong, 0, "$option: six segments and ranges");
    }
}

done_testing;
