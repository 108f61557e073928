#!/usr/bin/perl

# Playback tokens: carriers, claims, hostile tokens, what of them is left in
# what is logged and answered. Cryptography: tests/unit/auth, token-library.t.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;
use Token;

my $t = Reel->new(idle => 1);
my $d = $t->{dir};
my $keys = key_file("$d/tokens.json", 'one', 'two');
$t->{o}{http} = "reel_token_keys $keys; reel_master_keys $d/master.json;"
    . 'log_format full "$status $reel_status $request_uri $request '
    . '[$reel_token_subject] $reel_request_uri $uri?$args";';
$t->{o}{conf} = "access_log $d/access.log full;" . '
    location /play/ { reel_play; reel_token required;
        add_header X-Key $reel_cache_key always;
        add_header X-Sub $reel_token_subject always;
        add_header X-Cache $reel_token_cache_status always; }
    location /open/ { reel_play; reel_token optional; }
    location /off/ { reel_play; }
    location /aud/ { reel_play; reel_token required;
        reel_token_audience play tv; }
    location /land/ { reel_play; reel_token required;
        reel_token_country $http_x_country; }
    location /query/ { reel_play; reel_token required;
        reel_token_from query=t; }
    location /cookie/ { reel_play; reel_token required;
        reel_token_from cookie=c path; }
    location ~ ^/re/ { reel_play; reel_token required;
        reel_token_below /re/; }
    location /grace/ { reel_play; reel_token required; reel_token_grace 1h; }
    location /aes/ { reel_play; reel_token required;
        reel_encryption aes-128; }
    location ~ ^/cenc/ { reel_play; reel_token required;
        reel_token_below /cenc/; reel_encryption cenc; }
    location /plain/ { return 200 plain; }';
$t->nginx_start;
my $a = Asset->new($t, fragments => 12, frames => 2, sheets => 2, renditions => [
    'v720:video:12000', 'v360:video:9000:height=360', 'a128:audio:3000',
    'sub-en:text:30:language=en,roles=2']);
my $b = Asset->new($t, fragments => 3, renditions => ['v360:video:900']);
my ($id, $hash) = ($a->{id}, $a->{hash}{3});

my $m;

sub get { my ($url, %h) = @_; return http($t, 'GET', $url, headers => \%h); }

# refused with that code, and nothing of the token is told
sub refused {
    my ($x, $code, $name) = @_;
    has_status($x, 403, $code, $name);
    unlike($x->{raw}, qr/eyJ/, "$name: no token in the answer");
    has_header($x, 'Cache-Control', qr/^no-store$/, $name);
    has_header($x, 'Access-Control-Allow-Origin', qr/^\*$/, $name);
}

# carriers
my $tok = token({ sub => $id });
my $master = get("/off/$id/master.m3u8")->{body};
for ("/play/$tok/$id/master.m3u8", "/play/$tok/master.m3u8",
    "/play/$id/master.m3u8?token=$tok&x=1", "/query/$id/master.m3u8?t=$tok",
    "/re/$tok/$id/master.m3u8", "/re/$tok/master.m3u8",
    "/open/$id/master.m3u8?token=$tok")
{
    my $x = get($_);
    my $body = $x->{body} =~ s/\?t(oken)?=[\w.-]+//gr;
    is("$x->{status} $body", "200 $master", s/eyJ[^\/&]*/…/r);
}
for ("/play/$id/master.m3u8 reel_token", "/cookie/$id/master.m3u8 c") {
    my ($url, $name) = split;
    has_status(get($url, Cookie => "a=b; $name=$tok; z=1"), 200, undef,
        "cookie $name");
}
refused(get("/play/$id/master.m3u8"), 'TOKEN_MISSING', 'none');
refused(get("/query/$id/master.m3u8?token=$tok"), 'TOKEN_MISSING',
    'another name');
refused(get("/query/$id/master.m3u8", Cookie => "reel_token=$tok"),
    'TOKEN_MISSING', 'a carrier that is not listed');
is(get("/query/$tok/$id/master.m3u8")->{status}, 403, 'nor the path');
is(get("/open/$id/master.m3u8")->{status}, 200, 'optional');
refused(get("/open/$id/master.m3u8?token=x"), 'TOKEN_MALFORMED',
    'optional, but then right');
my $late = token({ sub => $id, exp => int(time) - 100 });
refused(get("/cookie/$tok/$id/master.m3u8", Cookie => "c=$late"),
    'TOKEN_EXPIRED', 'the first one counts');
has_status(get("/play/$tok/$id/master.m3u8?token=$late"), 200, undef,
    'in the order given');
is(http($t, 'OPTIONS', "/play/$id/master.m3u8")->{status}, 204,
    'a preflight needs none');

# relative URIs carry a path's token on, manifests that of a query
my ($list) = $master =~ /^(v720\S+)/m;
for my $path ("v720~$hash/media.m3u8", "v720~$hash/iframes.m3u8",
    "v720~$hash/0.m4s", "v720~$hash/init.mp4", "a128~$hash/0.m4s",
    "sub-en~$hash/0.vtt", "sub-en~$hash/subtitles.vtt", 'manifest.mpd',
    'storyboard.vtt', "storyboard~$hash/0.jpg", 'storyboard.jpg',
    'poster.jpg', 'thumb.jpg?width=1', 'download.mp4')
{
    is(get("/play/$tok/$path")->{body}, get("/off/$id/$path")->{body},
        "below the token: $path");
    refused(get("/play/$id/$path"), 'TOKEN_MISSING', "without: $path");
}
my %seen;
my @todo = ('master.m3u8', 'manifest.mpd', 'storyboard.vtt',
    'master.m3u8?start=7', 'manifest.mpd?start=7', 'v720/media.m3u8',
    'v360/iframes.m3u8', 'sub-en/media.m3u8');
while (@todo) {
    my $path = shift @todo;
    next if $seen{$path}++;
    my $url = "/play/$id/$path" . ($path =~ /token=/ ? ''
        : ($path =~ /\?/ ? '&' : '?') . "token=$tok");
    my $x = get($url);
    is($x->{status}, 200, 'query: ' . $path =~ s/eyJ.*/…/r) or diag $url;
    next if $x->{headers}{'content-type'} !~ /mpegurl|dash|text.vtt/
        || $path =~ /sub-en.*vtt/;
    has_header($x, 'Cache-Control', qr/^private, /, 'and private');
    my $folder = $path =~ s/[^\/]*$//r;
    my @uri = $x->{body} =~ /(?|URI="([^"]+)"|^([^#\s<>]+\?[^#\s<>]+)
        |(?:media|initialization)="([^"]+)"|<BaseURL>([^<]+)<)/mgx;
    ok(@uri > 0, scalar(@uri) . ' URIs');
    for (@uri) {
        s/&amp;/&/g;
        like($_, qr/[?&]token=\Q$tok\E$/, 'carries it on');
        next if /\$RepresentationID\$/;
        s/\$Number\$/0/;
        my $next = "$folder$_";
        1 while $next =~ s{[^/]+/\.\./}{};
        push @todo, $next;
    }
    # no line of a playlist without
    unlike($x->{body}, qr/^[^#\s<>][^?]*\.(m4s|vtt|m3u8|mp4)$/m, 'all');
}
like(get("/play/$id/manifest.mpd?token=$tok")->{body},
    qr{media="\$RepresentationID\$~$hash/\$Number\$\.m4s\?token=\Q$tok\E"},
    'MPD: segments');
has_header(get("/play/$tok/master.m3u8"), 'Cache-Control', qr/s-maxage/,
    'with the token in the path nothing of it is in a manifest');
has_header(get("/play/$tok/v720~$hash/0.m4s"), 'Cache-Control', qr/^public/,
    'segments are for all');

# the key of caches, the subject; a token is checked once
my $x = get("/play/$tok/master.m3u8?max_height=720&x=y");
is($x->{headers}{'x-key'}, "$id/1/master.m3u8?max_height=720", 'cache key');
is($x->{headers}{'x-sub'}, $id, 'subject');
my $new = token({ sub => $id, jti => 'fresh' });
is(get("/play/$new/master.m3u8")->{headers}{'x-cache'}, 'MISS', 'first');
is(get("/play/$new/master.m3u8")->{headers}{'x-cache'}, 'HIT', 'again');

# subjects
for (['*', 200], [substr($id, 0, 9) . '*', 200], ["$id/v360*", 'TOKEN_ASSET'],
    ['x*', 'TOKEN_ASSET'], [$b->{id}, 'TOKEN_ASSET'], ['', 'TOKEN_MALFORMED'],
    [substr($id, 0, 25), 'TOKEN_ASSET'], [undef, 'TOKEN_ASSET'],
    [uc $id, 'TOKEN_ASSET'])
{
    my ($sub, $want) = @$_;
    my $tok = token({ sub => $sub });
    my $name = 'sub ' . ($sub // 'absent');
    for ("/play/$tok/$id/master.m3u8", "/play/$id/master.m3u8?token=$tok") {
        my $x = get($_);
        $want eq '200' ? has_status($x, 200, undef, $name)
            : refused($x, $want, $name);
    }
}
my $other = token({ sub => $b->{id} });
refused(get("/play/$other/$id/v720~$hash/0.m4s"), 'TOKEN_ASSET',
    'a segment of another asset');
refused(get("/play/$b->{id}/../$id/master.m3u8?token=$other"), 'TOKEN_ASSET',
    'dots');
refused(get("/re/$b->{id}/$id/master.m3u8?token=$other"), 'TOKEN_ASSET',
    'an id before the id');
is(get("/play/$b->{id}/$id/master.m3u8?token=$other")->{status}, 400,
    'elsewhere no such path');
is(get("/play/" . token({ sub => "$id/v360" })
    . "/$id/v360/init.mp4")->{status}, 403, 'an asset is the least');

# times
for ([{ exp => int(time) - 30 }, 200], [{ exp => int(time) - 61 },
    'TOKEN_EXPIRED'], [{ nbf => int(time) + 50 }, 200],
    [{ nbf => int(time) + 90 }, 'TOKEN_NOT_YET'], [{ exp => undef },
    'TOKEN_MALFORMED'], [{ exp => 'x' }, 'TOKEN_MALFORMED'])
{
    my ($claims, $want) = @$_;
    my $x = get('/play/' . token({ sub => $id, %$claims }) . '/master.m3u8');
    my $name = join ' ', map { $_ . ($claims->{$_} // ' absent') } keys %$claims;
    $want eq '200' ? has_status($x, 200, undef, $name)
        : refused($x, $want, $name);
}

# who began may go on for the length of the film, 24 s, of the grace at most
my @late = map { token({ sub => $id, exp => int(time) - 60 - $_ }) } 10, 40;
for ("v720~$hash/0.m4s", "v720/0.ts", "v720~$hash/init.mp4",
    "v360~$hash/media.m3u8", "sub-en~$hash/0.vtt")
{
    isnt(get("/grace/$late[0]/$_")->{status}, 403, "in time: $_");
    refused(get("/grace/$late[1]/$_"), 'TOKEN_EXPIRED', "too late: $_");
}
for ('master.m3u8', 'manifest.mpd', 'storyboard.vtt', 'poster.jpg',
    'download.mp4')
{
    refused(get("/grace/$late[0]/$_"), 'TOKEN_EXPIRED', "not to begin: $_");
}

# audiences
for (['/aud/', undef, 'TOKEN_AUDIENCE'], ['/aud/', 'play', 200],
    ['/aud/', ['x', 'tv'], 200], ['/aud/', 'reel-api', 'TOKEN_AUDIENCE'],
    ['/play/', 'play', 'TOKEN_AUDIENCE'])
{
    my ($where, $aud, $want) = @$_;
    my $x = get($where . token({ sub => $id, aud => $aud })
        . '/master.m3u8');
    my $name = $where . encode($aud);
    $want eq '200' ? has_status($x, 200, undef, $name)
        : refused($x, $want, $name);
}
sub encode { return ref $_[0] ? "@{$_[0]}" : $_[0] // '-'; }

# networks, countries, sites
for (['/play/', { net => '127.0.0.0/8' }, {}, 200],
    ['/play/', { net => ['10.0.0.0/8', '::1'] }, {}, 'TOKEN_NETWORK'],
    ['/land/', { country => ['DE', 'AT'] }, { 'X-Country' => 'de' }, 200],
    ['/land/', { country => 'DE' }, { 'X-Country' => 'FR' },
        'TOKEN_COUNTRY'],
    ['/land/', { country => 'DE' }, {}, 'TOKEN_COUNTRY'],
    ['/play/', { country => 'DE' }, { 'X-Country' => 'DE' },
        'TOKEN_COUNTRY'],
    ['/play/', { referrer => '*.example.com' },
        { Referer => 'https://www.example.com/a' }, 200],
    ['/play/', { referrer => '*.example.com' },
        { Referer => 'https://evil.net/www.example.com' }, 'TOKEN_REFERRER'],
    ['/play/', { referrer => 'example.com' }, {}, 'TOKEN_REFERRER'])
{
    my ($where, $claims, $headers, $want) = @$_;
    my $x = get($where . token({ sub => $id, %$claims }) . '/master.m3u8',
        %$headers);
    my $name = join ' ', map { ($_, encode($claims->{$_})) } keys %$claims;
    $want eq '200' ? has_status($x, 200, undef, $name)
        : refused($x, $want, $name);
}

# keys are guarded as segments are, and reached by the same URIs
$m = get("/aes/$id/v720/media.m3u8?token=$tok")->{body};
my ($key) = $m =~ /^#EXT-X-KEY:METHOD=AES-128,URI="([^"]+)"/m;
like($key, qr/\.key\?token=\Q$tok\E$/, 'its URI carries the token on');
$key = "/aes/$id/v720/$key";
1 while $key =~ s{[^/]+/\.\./}{};
$x = get($key);
is($x->{status} . length $x->{body}, '20016', 'a key');
has_header($x, 'Cache-Control', qr/^no-store$/, 'a key');
refused(get($key =~ s/\?.*//r), 'TOKEN_MISSING', 'a key');
refused(get($key =~ s/=.*/=$other/r), 'TOKEN_ASSET', 'of another asset');
is(get("/aes/$tok/v720/0.key")->{body}, $x->{body}, 'by the path');
for ("/cenc/$tok/license", "/cenc/$tok/$id/license",
    "/cenc/$id/license?token=$tok")
{
    has_status(http($t, 'POST', $_, body => '{}'), 400,
        'BAD_LICENSE_REQUEST', 'a license request is let in');
}
for ("/cenc/$id/license", "/cenc/$id/license?token=$other",
    "/cenc/$b->{id}/$id/license?token=$other")
{
    is(http($t, 'POST', $_, body => '{"kids":[]}')->{status}, 403,
        'or refused');
}

# heights: manifests list what may be had, and no more is had
my $low = token({ sub => $id, max_height => 480 });
unlike(get("/play/$low/master.m3u8")->{body}, qr/v720/, 'not listed');
unlike(get("/play/$low/manifest.mpd?max_height=9999")->{body}, qr/v720/,
    'a parameter does not widen it');
unlike(get("/play/$low/master.m3u8?limit_max_height=9999")->{body}, qr/v720/,
    'nor a limit');
is(get("/play/$low/master.m3u8")->{headers}{'x-key'},
    "$id/1/master.m3u8?max_height=480", 'it is in the cache key');
for ('0.m4s', '0.ts', 'init.mp4', 'media.m3u8', 'iframes.m3u8') {
    refused(get("/play/$low/v720/$_"), 'TOKEN_HEIGHT', "v720 $_");
    refused(get("/play/$id/v720/$_?limit_max_height=1080&token=$low"),
        'TOKEN_HEIGHT', "v720 $_, query");
    is(get("/play/$low/v360/$_")->{status}, 200, "v360 $_");
}
is(get("/play/$low/a128~$hash/0.m4s")->{status}, 200, 'sound has no height');
is(get("/play/$low/download.mp4")->{body},
    get("/off/$id/download.mp4?max_height=480")->{body},
    'download: the lower one');

# clips, of segments of 6 s: [7, 13) is in 1 and 2
my $clip = token({ sub => $id, start => 7, end => 13 });
$m = get("/play/$clip/v720~$hash/media.m3u8")->{body};
is(join(' ', $m =~ /^(\d)\.m4s$/mg), '1 2', 'a playlist of the clip');
like(get("/play/$clip/manifest.mpd")->{body},
    qr/mediaPresentationDuration="PT11\.006S"/, 'an MPD of it');
for my $n (0 .. 3) {
    for ("v720~$hash/$n.m4s", "v720/$n.ts", "sub-en~$hash/$n.vtt") {
        my $x = get("/play/$clip/$_");
        $n == 1 || $n == 2 ? is($x->{status}, 200, $_)
            : refused($x, 'TOKEN_CLIP', $_);
    }
}
is(get("/play/$clip/v720/media.m3u8?start=8&end=9")->{status}, 200,
    'a part of it');
refused(get("/play/$clip/master.m3u8?start=20"), 'TOKEN_CLIP', 'outside');
refused(get("/play/$clip/v720/media.m3u8?end=5"), 'TOKEN_CLIP', 'before');
refused(get("/play/$clip/download.mp4"), 'TOKEN_CLIP', 'download');
refused(get("/play/$clip/thumb.jpg?time=0"), 'TOKEN_CLIP', 'thumbnail');
is(get("/play/$clip/thumb.jpg?time=10")->{status}, 200, 'of the clip');

# as an edge says them that checked the token
refused(get("/off/$id/v720/0.m4s?limit_max_height=480"), 'TOKEN_HEIGHT',
    'limits without a token');
refused(get("/off/$id/v720/0.m4s?limit_start=7"), 'TOKEN_CLIP', 'clip');
has_status(get("/off/$id/v720/0.m4s?limit_start=x"), 400, 'BAD_PARAMETER',
    'malformed');

# hostile
my ($h, $p, $s) = split /\./, $tok;
my %bad = (
    TOKEN_SIGNATURE => ["$h.$p." . 'A' x 43, "$h.$p.",
        token({ sub => $id }, secret => 'x'), token({ sub => $id },
        kid => 'two', secret => '1' x 32)],
    TOKEN_ALG => [token({ sub => $id }, header => { alg => 'none' }),
        token({ sub => $id }, header => { alg => 'RS256' })],
    TOKEN_KEY => [token({ sub => $id }, kid => 'three'),
        token({ sub => $id }, header => { kid => '' })],
    TOKEN_MALFORMED => ["$h.$p", "$h.$p.$s.", "$h.$p.$s=", "$h.$p.%00",
        "a.b.c", 'x', '%', "$h..$s", ".$p.$s", "$h.$p.$s" . 'A' x 4096,
        token({}, payload => '{"exp":9999999999,"exp":1}'),
        token({}, payload => '{"exp":1e400}'), token({}, payload => '[]'),
        token({ sub => $id }, header => { crit => ['exp'] })]);
for my $code (sort keys %bad) {
    for (@{ $bad{$code} }) {
        my $tok = $_;
        refused(get("/play/$id/master.m3u8?token=$tok"), $code,
            "$code " . substr $tok, -9);
    }
}
is(get("/play/$id/master.m3u8?token=" . 'e' x 1048576)->{status}, 414,
    'nginx does not take a line of 1 MB');
is(get("/play/$id/master.m3u8", Cookie => 'reel_token=' . 'e' x 1048576)
    ->{status}, 400, 'nor such a header');

# before a file is looked at
refused(get('/play/' . Asset::new_id() . "/master.m3u8?token=$tok"),
    'TOKEN_ASSET', 'no asset is looked up');
is(get('/play/' . token({ sub => '*' }) . '/' . Asset::new_id()
    . '/master.m3u8')->{status}, 404, 'but for who may');

# logs: neither tokens nor keys
get("/plain/x?token=$tok");
my $log = slurp("$d/access.log");
unlike($log =~ s/^.*(plain|query).*$//mgr, qr/eyJ|$s/, 'access log');
unlike(join('', $log =~ / (GET \/query\/.*?) HTTP/g), qr/eyJ|$s/,
    '$request where no such carrier is');
like($log, qr{^200 OK /play/master\.m3u8 GET /play/master\.m3u8 HTTP/1\.1 \[$id\]}m,
    'what is left of a path');
like($log, qr{/plain/x\?token=- }, 'elsewhere $reel_request_uri');
spew($a->file('index'), 'broken');
sleep 1.1;
is(get("/play/$id/master.m3u8?token=$tok")->{status}, 500, 'an error');
is(get("/play/$tok/master.m3u8")->{status}, 500, 'an error');
like($t->log, qr/\[error\].*BAD_INDEX.*request: "GET /, 'it was logged');
unlike($t->log, qr/eyJ|$s|1111111111111|2222222222222|abababab/,
    'error log');

done_testing;
