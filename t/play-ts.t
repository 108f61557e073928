#!/usr/bin/perl

# Transport streams: made while they are sent, of a length that is known
# before, with all that HTTP can ask of a file.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $conf = '
    location /play/ { reel_play; }
    location /ts/ { reel_play; reel_hls_segments ts; }
    location /plain/ { reel_play; sendfile off; directio 4k;
        open_file_cache max=10; }
    location /slow/ { reel_play; limit_rate 400k; }';
my $t = Reel->new(conf => $conf);
my $a = Asset->new($t, fragments => 10, object => 4,
    renditions => ['v720:video:200000', 'a128:audio:16000']);

srand 1;

# the packets of a segment: those of PID 256 or 257, and what is in them
sub packets {
    my ($ts) = @_;
    return [] if length($ts) % 188;
    return [map { [unpack 'C n C', $_] } unpack '(a188)*', $ts];
}

my %whole;
for my $r ('v720', 'a128') {
    for my $n (0 .. 3) {
        my $url = $a->url("$n.ts", $r, '3.ts');
        my $x = http($t, 'GET', $url);
        has_status($x, 200, undef, "$r, $n");
        is(length $x->{body}, $x->{headers}{'content-length'},
            'as long as it was said');
        my $p = packets($x->{body});
        is(scalar(grep { $_->[0] != 0x47 } @$p), 0, 'packets');
        my @of = grep { ($_->[1] & 0x1fff) == ($r eq 'v720' ? 256 : 257)
            && $_->[2] & 0x10 } @$p;
        is(scalar(grep { ($of[$_][2] & 15) != $_ % 16 } 0 .. $#of), 0,
            'counted from 0');
        is(@of % 16, 0, '… and so is the next segment');
        $whole{$r}[$n] = $x->{body};

        my $h = http($t, 'HEAD', $url);
        is($h->{headers}{'content-length'}, length $x->{body}, 'HEAD');
        is($h->{headers}{etag}, $x->{headers}{etag}, 'its ETag');
        ok(http($t, 'GET', $a->url("$n.ts", $r))->{body} eq $x->{body},
            'a bare name');
    }
}

my $url = $a->url('1.ts', 'v720', '3.ts');
my $bytes = $whole{v720}[1];
my $x = http($t, 'GET', $url);
has_header($x, 'Content-Type', qr{^video/mp2t$}, 'type');
has_header(http($t, 'GET', $a->url('1.ts', 'a128', '3.ts')), 'Content-Type',
    qr{^video/mp2t$}, 'of sound, too');
has_header($x, 'Cache-Control', qr/immutable/, 'named by its hash');
has_header($x, 'Accept-Ranges', qr/^bytes$/, 'ranges');
my $etag = $x->{headers}{etag};
isnt($etag, http($t, 'HEAD', $a->url('1.m4s', 'v720', 3))->{headers}{etag},
    'not the ETag of CMAF');

# ranges are slices of the whole
my $wrong = 0;
for my $r ('v720', 'a128') {
    for my $i (0 .. 14) {
        my $n = $i % 4;
        my $len = length $whole{$r}[$n];
        my $from = $i == 0 ? 0 : int rand $len;
        my $to = $i == 1 ? $len - 1 : $from + int rand($len - $from);
        my ($range, $want) = ("$from-$to",
            substr $whole{$r}[$n], $from, $to - $from + 1);
        ($range, $want) = ("$from-", substr $whole{$r}[$n], $from)
            if $i % 5 == 2;
        ($range, $want) = ('-' . ($from + 1),
            substr $whole{$r}[$n], -$from - 1) if $i % 5 == 3;
        my $y = http($t, 'GET', $a->url("$n.ts", $r, '3.ts'),
            headers => { Range => "bytes=$range" });
        next if $y->{status} == 206 && $y->{body} eq $want;
        $wrong++;
        diag "$r $n $range: $y->{status}, ", length $y->{body};
    }
}
is($wrong, 0, '30 ranges');

for my $range ('0-0', '375-376', '187-188', length($bytes) - 1 . '-') {
    my $y = http($t, 'GET', $url, headers => { Range => "bytes=$range" });
    my ($from, $to) = split /-/, $range;
    $to = length($bytes) - 1 if !length $to;
    ok($y->{status} == 206
        && $y->{body} eq substr($bytes, $from, $to - $from + 1), $range);
}
has_status(http($t, 'GET', $url, headers =>
    { Range => 'bytes=' . length($bytes) . '-' }), 416,
    'RANGE_NOT_SATISFIABLE', 'behind the end');
my $y = http($t, 'GET', $url, headers => { Range => 'bytes=0-9,20-29' });
ok($y->{status} == 200 && $y->{body} eq $bytes, 'two ranges: the whole');
$y = http($t, 'HEAD', $url, headers => { Range => 'bytes=100-299' });
ok($y->{status} == 206 && $y->{headers}{'content-length'} == 200,
    'HEAD of a range');
$y = http($t, 'GET', $url,
    headers => { Range => 'bytes=0-9', 'If-Range' => $etag });
ok($y->{status} == 206 && $y->{body} eq substr($bytes, 0, 10),
    'If-Range, same');
$y = http($t, 'GET', $url,
    headers => { Range => 'bytes=0-9', 'If-Range' => '"other"' });
ok($y->{status} == 200 && $y->{body} eq $bytes, 'If-Range, other');
has_status(http($t, 'GET', $url, headers => { 'If-None-Match' => $etag }),
    304, undef, 'If-None-Match');

# each container by its own hash
has_status(http($t, 'GET', $a->url('1.ts', 'v720', 3)), 404, 'NOT_FOUND',
    'the hash of CMAF');
has_status(http($t, 'GET', $a->url("$_", 'v720', '3.ts')), 404, 'NOT_FOUND',
    "$_ by the hash of TS") for '1.m4s', 'init.mp4';
has_status(http($t, 'GET', $a->url('4.ts', 'v720', '3.ts')), 404,
    'NOT_FOUND', 'behind the last');
has_status(http($t, 'GET', $a->url('01.ts', 'v720', '3.ts')), 400,
    'BAD_PATH', 'another spelling');

# by every way out, and many on one connection
for my $way ('plain', 'slow') {
    (my $u = $a->url('0.ts', 'a128', '3.ts')) =~ s{^/play}{/$way};
    ok(http($t, 'GET', $u)->{body} eq $whole{a128}[0], $way);
}
my @n = (0 .. 3) x 5;
my $in = raw($t, join '', map { 'GET ' . $a->url("$n[$_].ts", 'v720', '3.ts')
    . " HTTP/1.1\r\nHost: x\r\n" . ($_ == $#n ? "Connection: close\r\n" : '')
    . "\r\n" } 0 .. $#n);
$wrong = 0;
for my $n (@n) {
    $in =~ s/\AHTTP\/1\.1 200 OK\r\n.*?\r\n\r\n//s or $wrong++;
    $wrong++ if substr($in, 0, length $whole{v720}[$n], '')
        ne $whole{v720}[$n];
}
is("$wrong " . length $in, '0 0', '20 segments on one connection');

# the same bytes from another process
$t->nginx_stop;
my $port = Reel::free_port();
my $tls = Reel::free_port();
my $cert = "$t->{dir}/cert";
system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 "
    . "-keyout $cert.key -out $cert.pem >/dev/null 2>&1") == 0 or die;
$t->{o}{http} = "server { listen 127.0.0.1:$port http2;
    location /play/ { reel_play; } }
    server { listen 127.0.0.1:$tls ssl; ssl_certificate $cert.pem;
    ssl_certificate_key $cert.key; location /play/ { reel_play; } }";
$t->nginx_start;
ok(http($t, 'GET', $url)->{body} eq $bytes, 'the same after a restart');

for my $c (["http://127.0.0.1:$port", '--http2-prior-knowledge'],
    ["https://127.0.0.1:$tls", '-k'])
{
    my ($base, $option) = @$c;
    ok(`curl -s $option $base$url` eq $bytes, $option);
    ok(`curl -s $option -r 50000-400000 $base$url`
        eq substr($bytes, 50000, 350001), "$option, a range");
}

# while it grows: a fragment a segment
my $g = Asset->new($t, fragments => 10, published => 4, growing => 1,
    renditions => ['v720:video:20000']);
$x = http($t, 'GET', $g->url('3.ts', 'v720', '1.ts'));
ok($x->{status} == 200
    && length $x->{body} == $x->{headers}{'content-length'}, 'growing');
ok(http($t, 'GET', $g->url('3.ts', 'v720'))->{body} eq $x->{body}, 'bare');
has_status(http($t, 'GET', $g->url('4.ts', 'v720', '1.ts')), 404,
    'NOT_FOUND', 'not published yet');
has_status(http($t, 'GET', $g->url('1.ts', 'v720', '3.ts')), 404,
    'NOT_FOUND', 'half a segment');

# what is damaged: a 500 and one line, never a short 200
sub logged {
    my ($like, $name) = @_;
    is(scalar(grep { /$like/ } split /\n/, $t->log), 1, "$name: one line");
}
sub patch {
    my ($file, $at, $bytes) = @_;
    open my $f, '+<', $file or die "$file: $!";
    seek $f, $at, 0;
    print $f $bytes;
    close $f;
}
my $b = Asset->new($t, fragments => 6, object => 2,
    renditions => ['v720:video:100000', 'a128:audio:9000']);
my ($object, $off, $size) = @{ $b->{fragment}{v720}[1] };
my $file = $b->file("v720/$object");
my $good = slurp($file);
$url = $b->url('0.ts', 'v720', '3.ts');
for my $c (['a box', 4, 'mooF', qr/no moof/],
    ['its size', 0, "\0\x1f\xff\xff", qr/moof/],
    ['a count', 0x58, "\x7f", qr/trun|moof|mdat/])
{
    my ($name, $at, $with, $like) = @$c;
    patch($file, $off + $at, $with);
    has_status(http($t, 'GET', $url), 500, 'BAD_OBJECT', $name);
    logged(qr/object ".*\Q$object\E", fragment at offset $off: .*$like/,
        $name);
    has_status(http($t, 'HEAD', $url), 500, undef, "$name, HEAD");
    spew($file, $good);
    $t->nginx_stop;
    unlink "$t->{dir}/error.log";
    $t->nginx_start;
}
truncate $file, $off + $size - 1 or die $!;
has_status(http($t, 'GET', $url), 500, 'BAD_OBJECT', 'it ends too early');
logged(qr/object ".*\Q$object\E" has \d+ bytes/, 'it ends too early');
spew($file, $good);

# a sample: found while it is sent, so the answer breaks off
patch($file, $off + $size - 1700, "\xff" x 1700);
$in = raw($t, "GET $url HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
my ($len) = $in =~ /^Content-Length: (\d+)\r$/mi;
$in =~ s/\A.*?\r\n\r\n//s;
cmp_ok(length $in, '<', $len, 'a damaged sample: cut short');
logged(qr/\Q$object\E", fragment at offset $off: a sample is not of whole/,
    'a damaged sample');
ok(http($t, 'GET', $b->url('1.ts', 'v720', '3.ts'))->{status} == 200,
    'others play');

done_testing;
