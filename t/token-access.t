#!/usr/bin/perl

# Tokens beside what else permits: satisfy, allow and deny, auth_request,
# secure_link; plain files; other keys by reload; what an upstream is sent.
# What a configuration may lack: directives.t.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Digest::MD5 qw(md5);
use File::Copy qw(copy);
use MIME::Base64 qw(encode_base64url);
use Reel;
use Test::More;
use Time::HiRes qw(sleep);
use Token;

my $t = Reel->new(idle => 1, workers => 2);
my $d = $t->{dir};
my $keys = key_file("$d/tokens.json", 'one');
mkdir "$d/films";
$t->{o}{http} = "reel_token_keys $keys;";
$t->{o}{conf} = '
    location /play/ { reel_play; reel_token required; }
    location /all-deny/ { reel_play; reel_token required; deny all; }
    location /any-deny/ { reel_play; reel_token required; satisfy any;
        deny all; add_header X-Why $reel_status always; }
    location /any-allow/ { reel_play; reel_token required; satisfy any;
        allow 127.0.0.0/8; deny all; }
    location /optional/ { reel_play; reel_token optional; satisfy any;
        deny all; }
    location /asked/ { reel_play; reel_token required;
        auth_request /auth; }
    location /any-asked/ { reel_play; reel_token required; satisfy any;
        auth_request /auth; }
    location = /auth { internal; if ($http_x_ok) { return 204; }
        return 403; }
    location /link/ { reel_play; reel_token required;
        secure_link $arg_md5; secure_link_md5 "$uri secret";
        if ($secure_link = "") { return 404; } }
    location /if/ { reel_play; reel_token required;
        if ($http_x_free) { reel_token off; } }
    location /films/ { ' . "root $d;" . ' reel_play_files;
        reel_token required; }
    location /echo/ { return 200 "$request_uri|$uri|$args"; }
    location /proxy/ { reel_token required; proxy_pass http://127.0.0.1:'
        . $t->{port} . '/echo/; proxy_set_header X $request_uri; }
    location /whole/ { reel_token required; reel_token_below /echo/; rewrite ^/whole(/.*) /echo$1 break;
        proxy_pass http://127.0.0.1:' . $t->{port} . '; }
    location /named/ { reel_token required; error_page 404 = @other;
        root ' . $d . '; }
    location @other { add_header X-Sub $reel_token_subject; return 201; }';
$t->nginx_start;
my $a = Asset->new($t, fragments => 6);
my $id = $a->{id};
my $good = token({ sub => $id });
my $bad = token({ sub => $id, exp => 1 });

sub get { my ($url, %h) = @_; return http($t, 'GET', $url, headers => \%h); }

# where, header, with a good token, a bad one, none
for (['play', {}, 200, 403, 403], ['all-deny', {}, 403, 403, 403],
    ['any-deny', {}, 200, 403, 403], ['any-allow', {}, 200, 200, 200],
    ['optional', {}, 200, 403, 403], ['asked', {}, 403, 403, 403],
    ['asked', { 'X-Ok' => 1 }, 200, 403, 403],
    ['any-asked', {}, 200, 403, 403],
    ['any-asked', { 'X-Ok' => 1 }, 200, 200, 200],
    ['if', {}, 200, 403, 403], ['if', { 'X-Free' => 1 }, 200, 200, 200])
{
    my ($where, $h, @want) = @$_;
    my $i = 0;
    for my $q ("?token=$good", "?token=$bad", '') {
        is(get("/$where/$id/master.m3u8$q", %$h)->{status}, $want[$i++],
            "$where " . join('', keys %$h) . ' ' . qw(- good bad none)[$i]);
    }
}
is(get("/any-deny/$bad/$id/master.m3u8")->{headers}{'x-why'},
    'TOKEN_EXPIRED', 'where nginx answers, $reel_status tells why');
is(http($t, 'OPTIONS', "/any-deny/$id/x")->{status}, 204, 'a preflight');

# secure_link signs what is left
my $md5 = encode_base64url(md5("/link/$id/master.m3u8 secret"), '');
is(get("/link/$good/$id/master.m3u8?md5=$md5")->{status}, 200, 'secure_link');
is(get("/link/$id/master.m3u8?token=$good&md5=$md5")->{status}, 200,
    'with a query');
is(get("/link/$good/$id/master.m3u8?md5=x")->{status}, 404, 'wrong link');
is(get("/link/$bad/$id/master.m3u8?md5=$md5")->{status}, 403, 'wrong token');

# plain files: sub is the path below the location
system(qw(ffmpeg -v error -nostdin -f lavfi -i
    testsrc2=size=160x90:rate=10:duration=2 -c:v libx264 -preset veryfast
    -pix_fmt yuv420p), "$d/films/a b.mp4") == 0 or die 'ffmpeg';
copy("$d/films/a b.mp4", "$d/films/other.mp4");
{
    my $want = get('/films/a%20b.mp4/master.m3u8?token='
        . token({ sub => '*' }));
    has_status($want, 200, undef, 'a film');
    my $one = token({ sub => 'a b.mp4' });
    my $text = $want->{body} =~ s/\?token=[\w.-]+//gr;
    is(get("/films/$one/a%20b.mp4/master.m3u8")->{body}, $text, 'by its path');
    is(get("/films/$one/master.m3u8")->{body}, $text, 'without it');
    has_status(get("/films/$one/other.mp4/master.m3u8"), 403, 'TOKEN_ASSET',
        'another film');
    has_status(get("/films/other.mp4/master.m3u8?token=$one"), 403,
        'TOKEN_ASSET', 'another film');
}

# an upstream gets no token, but what it permits
my $low = token({ sub => 'a/b c', max_height => 480, end => 9 });
is(get("/proxy/$low/a/b%20c/0.m4s?x=1&limit_start=3")->{body},
    '/echo/a/b%20c/0.m4s?x=1&limit_end=9&limit_max_height=480|'
    . '/echo/a/b c/0.m4s|x=1&limit_end=9&limit_max_height=480', 'proxy_pass');
is(get("/whole/a/b%20c/0.m4s?token=$low")->{body} =~ s/\|.*//r,
    '/echo/a/b%20c/0.m4s?limit_end=9&limit_max_height=480', 'after rewrite');
is(get("/proxy/$low/0.m4s")->{body} =~ s/\|.*//r,
    '/echo/a/b%20c/0.m4s?limit_end=9&limit_max_height=480', 'sub put in');
has_status(get("/proxy/$low/a/x/0.m4s"), 403, 'TOKEN_ASSET', 'refused here');
my $x = get('/named/' . token({ sub => 'x' }) . '/x');
is("$x->{status} $x->{headers}{'x-sub'}", '201 x', 'an internal redirect');

# other keys: who is connected notices nothing but them
my $two = token({ sub => $id }, kid => 'two');
has_status(get("/play/$two/master.m3u8"), 403, 'TOKEN_KEY', 'unknown key');
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
my $ask = sub {
    print $s "GET /play/$_[0]/master.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n";
    my $in = '';
    while ($in !~ /\r\n\r\n/) { sysread $s, $in, 8192, length $in or last }
    my ($n) = $in =~ /Content-Length: (\d+)/i;
    $in =~ s/^.*?\r\n\r\n//s if (my ($status) = $in =~ m{^HTTP/1.1 (\d+)});
    while (length $in < ($n // 0)) {
        sysread $s, $in, 8192, length $in or last;
    }
    return $status // 'cut';
};
is($ask->($good), 200, 'before');
key_file($keys, 'one', 'two');
my %old = map { $_ => 1 } $t->workers;
$t->reload;
my ($n, $wrong) = (0, 0);
wait_for(sub {
    $n++, get("/play/$good/master.m3u8")->{status} == 200 or $wrong++;
    return !grep { $old{$_} } $t->workers;
}, 'the old workers are gone');
is("$wrong", 0, "none of $n requests failed while keys were exchanged");
is(get("/play/$two/master.m3u8")->{status}, 200, 'a new key');
is(get("/play/$good/master.m3u8")->{status}, 200, 'the old one');
key_file($keys, 'two');
$t->reload;
wait_for(sub { get("/play/$two/master.m3u8")->{status} == 200
    && get("/play/$good/master.m3u8")->{status} == 403 }, 'revoked');
for (1 .. 4) {
    has_status(get("/play/$good/master.m3u8"), 403, 'TOKEN_KEY',
        'a key that is gone, though its token had been checked');
}

# a broken file: the old keys stay
spew($keys, '{"keys":[{"kid":"two","kty":"oct","k":"secretsecret"}]}');
$t->reload;
wait_for(sub { $t->log =~ /\[emerg\].*reel_token_keys.*keys\[0\]\.k must/ },
    'it is told');
is(get("/play/$two/master.m3u8")->{status}, 200, 'the old keys go on');
unlike($t->log, qr/secretsecret/, 'no key in the log');

done_testing;
