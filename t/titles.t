#!/usr/bin/perl

# Several files as one title: by a list in the URL, by the names in a folder,
# by a mapping beside them or from an internal location.

use strict;
use warnings;
use lib 't/lib';
use Digest::MD5 qw(md5_hex);
use File::Path qw(make_path);
use Film qw(stream streams);
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Reel;
use Test::More;

my $t = Reel->new(idle => 1, http => 'reel_master_keys master.json;
    log_format asked "$arg_asset";', conf => '
    location /cbcs/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_encryption cbcs; }
    location /cenc/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_encryption cenc; reel_key_rotation 1; }
    location /aes/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_encryption aes-128; }
    location /aests/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_encryption aes-128; reel_key_rotation 1; reel_hls_segments ts; }
    location /sats/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_encryption sample-aes; reel_hls_segments ts; }
    location /vod/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_vod_compat on; reel_encryption cbcs; }
    location /asks/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_encryption cbcs; reel_key_server /_key; }
    location /mute/ { alias FILMS/; reel_play_files; reel_encryption cenc;
        reel_key_server /nowhere; }
    location = /_key { internal; proxy_pass http://127.0.0.1:PORT/keys?$args;
        proxy_pass_request_headers off; }
    location = /keys { access_log DIR/asked asked; alias DIR/key.json; }
    location /films/ { alias FILMS/; reel_play_files; reel_files_map json;
        if ($arg_if) { set $x 1; } }
    location /ts/ { alias FILMS/; reel_play_files; reel_files_map json;
        reel_hls_segments ts; }
    location /named/ { alias FILMS/; reel_play_files;
        reel_files_pattern "{}_*.mp4"; }
    location /in/ { alias FILMS/; reel_play_files;
        reel_files_pattern "{}/v*.mp4"; }
    location /asked/ { alias FILMS/; reel_play_files; reel_files_map /map/; }
    location /far/ { reel_play_files; reel_play_upstream /behind/; }
    location /mapped/ { reel_play_files; reel_play_upstream /behind/;
        reel_files_map /map/; }
    location /behind/ { internal; proxy_pass http://127.0.0.1:PORT/raw/; }
    location /raw/ { alias FILMS/; }
    location /self/ { alias FILMS/; reel_play_files; reel_files_map /self/; }
    location /map/ { internal; proxy_pass http://127.0.0.1:PORT/maps/;
        proxy_buffer_size 64k; proxy_buffers 8 64k;
        subrequest_output_buffer_size 64k; }
    location /map/down/ { internal; proxy_pass http://127.0.0.1:1; }
    location /map/local/ { internal; alias FILMS/maps/; }
    location /maps/ { alias FILMS/maps/; }
    location /maps/403 { return 403; }
    location /maps/503 { return 503; }
    location /maps/301 { return 301 /maps/all; }');
my $films = "$t->{dir}/films";
make_path("$films/maps", "$films/beach");
$t->{o}{conf} =~ s/FILMS/$films/g;
$t->{o}{conf} =~ s/PORT/$t->{port}/g;
$t->{o}{conf} =~ s/DIR/$t->{dir}/g;

sub film {
    my ($to, $size, %o) = @_;
    my $secs = $o{secs} // 14;
    my @video = $size ? ('-f', 'lavfi', '-i',
        "testsrc2=size=$size:rate=10:duration=$secs") : ();
    my @audio = $o{mute} ? () : ('-f', 'lavfi', '-i',
        "sine=frequency=440:sample_rate=48000:duration=$secs");
    Film::film("$films/$to", @video, @audio,
        ($size ? (qw(-c:v libx264 -preset ultrafast -sc_threshold 0
            -pix_fmt yuv420p -g), $o{gop} // 20) : ()),
        ($o{mute} ? () : qw(-c:a aac -b:a 64k)),
        ($o{language} ? ('-metadata:s:a:0', "language=$o{language}") : ()),
        @{ $o{more} // [] });
}
film('beach_90.mp4', '160x90');
film('beach_180.mp4', '320x180', more => [qw(-video_track_timescale 90000)]);
film('beach_270.mp4', '480x270');
film('beach/v1.mp4', '160x90');
film('beach/v2.mp4', '320x180');
film('odd_1.mp4', '320x180', gop => 35);
film('long_2.mp4', '160x90', secs => 30, mute => 1);
film('en.m4a', undef, language => 'eng');
film('de.m4a', undef, language => 'ger');
spew("$films/text.mp4", 'no movie');
spew("$films/title.json", encode_json({ renditions => [
    { path => 'beach_90.mp4', tracks => 'video', bitrate => 123456 },
    { path => '/beach_270.mp4', tracks => 'video' },
    { path => 'en.m4a', label => 'English <1>', default => \1 },
    { path => 'de.m4a', language => 'de', label => 'Deutsch', role => 'dub' }
] }));
(my $rooted = slurp("$films/title.json")) =~ s{"path":"/?}{"path":"/}g;
spew("$films/maps/all", $rooted);
spew("$t->{dir}/key.json", '{"key":"' . 'fedcba9876543210' x 4 . '"}');
$t->nginx_start;
my $base = "http://127.0.0.1:$t->{port}";

sub get { return http($t, 'GET', @_); }
sub body { return get(@_)->{body}; }

# every URI of a playlist, and of the playlists in it; what is not 200
sub crawl {
    my ($url) = @_;
    my $x = get($url);
    return "$url: $x->{status}" if $x->{status} != 200;
    return () if $url !~ /m3u8/;
    my ($dir) = $url =~ m{^([^?]*/)};
    return map { crawl("$dir$_") } $x->{body} =~ /URI="([^"]+)"/g,
        $x->{body} =~ /^([^#\n].*)/mg;
}

# --- a list in the URL -------------------------------------------------------

my $list = '/films/beach_,90,180,270,.mp4.urlset';
my $m = body("$list/master.m3u8");
is(join(' ', sort $m =~ /RESOLUTION=(\S+?),FRAME/g),
    '160x90 320x180 480x270', 'a variant of each file');
is(scalar(() = $m =~ /TYPE=AUDIO/g), 1, 'the sound is listed once');
is(join(', ', crawl("$list/master.m3u8")), '', 'all that is named is there');
my @v = sort { $a cmp $b } map { "$films/beach_$_.mp4" } 90, 180, 270;
my $pictures = join ' ', sort(streams(map { [$_, 'v'] } @v));
for my $manifest ('master.m3u8', 'manifest.mpd') {
    my %ours = map { $_ => 1 }
        streams(["$base$list/$manifest", map { "v:$_" } 0 .. 2]);
    is(join(' ', sort keys %ours), $pictures,
        "$manifest plays the pictures of all files");
}
my $mpd = body("$list/manifest.mpd");
is(scalar(() = $mpd =~ /contentType="video"/g), 1,
    'of two clocks, but one set');
is(scalar(() = $mpd =~ /<Representation id="\d-v/g), 3, 'of three');
unlike(body("$list/master.m3u8?max_height=200"), qr/480x270/, 'max_height');
unlike(body("$list/manifest.mpd?min_height=200"), qr/"90"/, 'min_height');
my $clip = body("$list/master.m3u8?start=7&end=9");
like($clip, qr/v90~\w+\/media.m3u8\?start=7&end=9$/m, 'a clip');
my ($one) = $clip =~ /^(\d\S+)$/m;
is(scalar(() = body("$list/$one") =~ /EXTINF/g), 1, 'of one segment');
like(body("$list/manifest.mpd?start=7&end=9"),
    qr/mediaPresentationDuration="PT5\.011S".*presentationTimeOffset/s, 'in DASH');
has_status(get("$list/master.m3u8?start=99"), 404, 'NOT_FOUND', 'behind it');

# a file that is replaced has another name, the others keep theirs
my %old = map { /(\d-v\d+)~(\w+)/ ? ($1 => $2) : () } $m =~ /^(\d\S+)$/mg;
film('new.mp4', '320x180');
rename "$films/new.mp4", "$films/beach_180.mp4" or die;
wait_for(sub { body("$list/master.m3u8") !~ /$old{'2-v180'}/ }, 'it is seen');
like(body("$list/master.m3u8"), qr/1-v90~$old{'1-v90'}/, 'the others stay');
has_status(get("$list/2-v180~$old{'2-v180'}/0.m4s"), 404, 'NOT_FOUND',
    'its old segments do not');

has_status(get("/films/$_/master.m3u8"), 404, 'NOT_FOUND', $_)
    for 'beach_,90,91,.mp4.urlset', 'none_,1,.mp4.urlset';
has_status(get("$list/$_"), 404, 'NOT_FOUND', $_) for '4-v90/0.m4s',
    '1-v90/9.m4s', 'v90/0.m4s', '0-v90/0.m4s', '99999999999-v90/init.mp4',
    '1-a9/media.m3u8', '1-1-v90/0.m4s';
has_status(get("/films/$_.urlset/master.m3u8"), 422, 'BAD_TITLE', $_)
    for 'beach_90.mp4', 'beach,90', '.,.,/root.mp4', 'a/.,.,/../b',
    'x,' . ('1,' x 40), ',' x 3;
has_status(get('/films/beach_,90,/text,.mp4.urlset/master.m3u8'), 404,
    'NOT_FOUND', 'a part of a path may differ');
has_status(get('/films/,beach_90,text,.mp4.urlset/master.m3u8'), 422,
    'BAD_FILE', 'one that is no movie');
like($t->log, qr/title "\S+" cannot be played: "\S+text.mp4" is no movie/,
    'the log names it');

# --- other key frames, other films -------------------------------------------

my $odd = '/films/,beach_90,odd_1,.mp4.urlset';
$mpd = body("$odd/manifest.mpd");
is(scalar(() = $mpd =~ /contentType="video"/g), 2,
    'other key frames make another set');
is(join(', ', crawl("$odd/master.m3u8")), '', 'HLS has both');
is(stream("$base$odd/manifest.mpd", 'v:1'), stream("$films/odd_1.mp4", 'v'),
    'all of it plays');
has_status(get('/films/,beach_90,long_2,.mp4.urlset/manifest.mpd'), 422,
    'BAD_TITLE', 'another film is refused');
like($t->log, qr/file 2 lasts 30\d+ ms, the first one 14\d+ ms/,
    'with a reason');

# --- names of a folder -------------------------------------------------------

$m = body('/named/beach/master.m3u8');
is(join(' ', sort $m =~ /RESOLUTION=(\S+?),FRAME/g),
    '160x90 320x180 480x270', 'a pattern');
is(join(', ', crawl('/named/beach/master.m3u8')), '', 'plays');
is(scalar(() = body('/in/beach/master.m3u8') =~ /FRAME-RATE/g), 2,
    'a folder of a film');
is(join(', ', crawl('/in/beach/master.m3u8')), '', 'plays');
is(get('/named/en.m4a/master.m3u8')->{status}, 404, 'what it does not match');
is(get('/named/beach_90.mp4/master.m3u8')->{status}, 200, 'a file by itself');
has_status(get("/named/$_/master.m3u8"), 404, 'NOT_FOUND', $_)
    for 'nothing', 'no/folder', 'title.json';
film("many_$_.mp4", '16x16', secs => 1, mute => 1) for 1;
link "$films/many_1.mp4", "$films/many_$_.mp4" for 2 .. 33;
has_status(get('/named/many/master.m3u8'), 422, 'BAD_TITLE', 'too many');

# --- a mapping ---------------------------------------------------------------

for my $map ('/films/title.json', '/asked/all', '/asked/local/all') {
    $m = body("$map/master.m3u8");
    like($m, qr/NAME="English <1>",LANGUAGE="eng?",DEFAULT=YES/, "$map: label");
    like($m, qr/NAME="Deutsch",LANGUAGE="de",.*translation\.dubbed/, 'role');
    like($m, qr/BANDWIDTH=\d+.*RESOLUTION=480x270/, 'a path from the root');
    like(body("$map/manifest.mpd"), qr/lang="de".*Deutsch.*"dub"/s, 'DASH');
    like(body("$map/manifest.mpd"), qr/bandwidth="123456"/, 'bit rate');
    is(join(', ', crawl("$map/master.m3u8")), '', 'plays');
}
is(get('/asked/all/1-v90/0.m4s',
    headers => { Range => 'bytes=0-9', 'If-None-Match' => '"x"',
        'Accept-Encoding' => 'gzip' })->{status}, 206,
    'the range is of the segment');
has_status(get('/asked/none/master.m3u8'), 404, 'NOT_FOUND', 'no mapping');
has_status(get("/asked/$_->[0]/master.m3u8"), $_->[1], 'MAPPING_FAILED',
    "upstream's $_->[0]") for [403, 403], [503, 503], [301, 502],
    ['down/x', 502];
has_status(get('/self/a/master.m3u8/master.m3u8'), 500, 'MAPPING_FAILED',
    'a loop ends');

my $n = 0;
my $deep = '[' x 100000;
for my $c ('', 'no JSON', '[]', '{}', 'null', "\0", '{"renditions":[]}',
    '{"renditions":{}}', '{"renditions":[1]}', '{"renditions":[{}]}',
    '{"renditions":[{"path":""}]}', '{"renditions":[{"path":"a/../b.mp4"}]}',
    '{"renditions":[{"path":"../../etc/passwd"}]}',
    '{"renditions":[{"path":"./en.m4a"}]}', '{"renditions":[{"path":"a//b"}]}',
    '{"renditions":[{"path":"en.m4a\u0000"}]}',
    '{"renditions":[{"path":"en.m4a\n"}]}', '{"renditions":[{"path":7}]}',
    '{"renditions":[{"path":"en.m4a","language":"x y"}]}',
    '{"renditions":[{"path":"en.m4a","label":"\u0007"}]}',
    '{"renditions":[{"path":"en.m4a","bitrate":-1}]}',
    '{"renditions":[{"path":"en.m4a","bitrate":1e99}]}',
    '{"renditions":[{"path":"en.m4a","role":"boss"}]}',
    '{"renditions":[{"path":"en.m4a","tracks":"text"}]}',
    '{"renditions":[{"path":"en.m4a","path":"de.m4a"}]}',
    '{"renditions":[{"path":"en.m4a","more":1}]}',
    '{"renditions":[{"path":"en.m4a","tracks":"video"}]}',
    '{"renditions":[{"path":"en.m4a"}],"start":-1}',
    '{"renditions":[{"path":"en.m4a"}],"start":5,"end":5}',
    '{"renditions":[{"path":"en.m4a"}],"start":99}',
    '{"parts":[]}', '{"parts":[{}]}', '{"parts":[],"renditions":[]}',
    '{"parts":[{"parts":[]}]}', $deep, '{"renditions":' . $deep,
    encode_json({ renditions => [({ path => 'en.m4a' }) x 33] }),
    encode_json({ parts => [({ renditions => [{ path => 'en.m4a' }] })
        x 129] }), ' ' x 262145)
{
    spew("$films/bad.json", $c);
    my $before = () = $t->log =~ /cannot be played/g;
    has_status(get('/films/bad.json/master.m3u8'), 422, 'BAD_TITLE',
        substr "mapping $c", 0, 60);
    $n++ if (() = $t->log =~ /cannot be played/g) != $before + 1;
}
is($n, 0, 'each says why in one line');
spew("$films/bad.json", '{"renditions":[{"path":"/etc/passwd"}]}');
has_status(get('/films/bad.json/master.m3u8'), 404, 'NOT_FOUND',
    '/ is the root of the location');
like($t->log, qr{"\Q$films\E/etc/passwd" is not there}, 'nothing else');
unlink "$films/bad.json";
mkdir "$films/bad.json";
has_status(get('/films/bad.json/master.m3u8'), 404, 'NOT_FOUND', 'a folder');

# an "if" has no name of its own; its location's alias counts it all the same
spew("$films/if.json", '{"renditions":[{"path":"/beach_90.mp4"}]}');
is(get("/films/if.json/master.m3u8$_")->{status}, 200, "rooted $_")
    for '', '?if=1';
is(get('/films/beach_,90,180,.mp4.urlset/master.m3u8?if=1')->{status}, 200,
    'a list in it');

# --- files behind another server ----------------------------------------------

my $far = '/far/beach_,90,180,.mp4.urlset';
is(join(', ', crawl("$far/master.m3u8")), '', 'behind a server: all is there');
is(stream("$base$far/manifest.mpd", 'v:0'), stream("$base"
    . '/films/beach_,90,180,.mp4.urlset/manifest.mpd', 'v:0'), 'as of files');
is(join(', ', crawl('/mapped/all/master.m3u8')), '', 'by a mapping, too');
has_status(get("/far/$_->[0]/master.m3u8"), $_->[1], $_->[2], $_->[0])
    for ['beach_,90,91,.mp4.urlset', 404, 'NOT_FOUND'],
    ['beach_90.mp4/,,x.urlset', 404, 'NOT_FOUND'];

# --- films in a row ----------------------------------------------------------

my @parts = (
    { renditions => [{ path => 'beach_90.mp4' }, { path => 'beach_180.mp4' }] },
    { renditions => [{ path => 'beach/v1.mp4' }, { path => 'odd_1.mp4' }],
      start => 2, end => 12 },
    { renditions => [{ path => 'beach_270.mp4' }, { path => 'beach_90.mp4' }] });
spew("$films/row.json", encode_json({ parts => \@parts }));
my $row = '/films/row.json';
is(join(', ', crawl("$row/master.m3u8")), '', 'a row: all is there');
($one) = body("$row/master.m3u8") =~ /^(1-1-v90\S+)$/m;
my $l = body("$row/$one");
is(scalar(() = $l =~ /EXT-X-DISCONTINUITY\n/g), 2, 'two discontinuities');
is(scalar(() = $l =~ /EXT-X-MAP/g), 3, 'a header each');
my $sum = 0;
$sum += $_ for $l =~ /#EXTINF:([\d.]+),/g;
cmp_ok(abs($sum - 40), '<', 0.01, "all of it, in whole segments ($sum s)");
like($l, qr/MEDIA-SEQUENCE:0\n/, 'from the first');
$mpd = body("$row/manifest.mpd");
is(join(' ', $mpd =~ /<Period id="\d" start="(PT[\d.]+S)" duration="(PT[\d.]+S)"/g),
    'PT0S PT14S PT14S PT10S PT24S PT14S',
    'a Period each') or diag $mpd;
like($mpd, qr/mediaPresentationDuration="PT38(?:\.0+)?S"/, 'their sum');

sub frames {
    my ($url) = @_;
    my $n = qx(ffprobe -v error -select_streams v:0 -count_packets -show_entries stream=nb_read_packets -of csv=p=0 '$url');
    return $n =~ /(\d+)/ ? $1 : -1;
}
is(frames("$base$row/$one"), 400, 'ffmpeg reads every picture of HLS');

is(join(', ', crawl('/ts/row.json/master.m3u8')), '', 'as transport streams');
my ($ts) = body('/ts/row.json/master.m3u8') =~ /^(1-1-v90\S+)$/m;
unlike(body("/ts/row.json/$ts"), qr/m4s|EXT-X-MAP/, 'all of it');
is(frames("$base/ts/row.json/$ts"), 400, 'which ffmpeg reads');
is(join(', ', crawl('/ts/beach_,90,180,.mp4.urlset/master.m3u8')), '',
    'and of a list');

# clips across parts: 13 s to 25 s are the end of the first, all of the second
# and the start of the third
$l = body("$row/master.m3u8?start=13&end=25");
($one) = $l =~ /^(1-1-v90\S+)$/m;
$l = body("$row/$one");
like($l, qr/MEDIA-SEQUENCE:2\n.*TIME-OFFSET=1\.000000/s, 'a clip of them');
is(scalar(() = $l =~ /EXT-X-DISCONTINUITY\n/g), 2, 'of three parts');
is(join(' ', body("$row/manifest.mpd?start=13&end=25")
    =~ /<Period id="\d" start="(PT[\d.]+S)"/g), 'PT0S PT1S PT11S',
    'in DASH');
is(scalar(() = body("$row/manifest.mpd?start=15&end=20") =~ /<Period/g), 1,
    'within one');
has_status(get("$row/$_?start=38"), 404, 'NOT_FOUND', "$_ behind the end")
    for 'master.m3u8', 'manifest.mpd';
# what a token permits counts through all parts, too
is(get("$row/2-1-v90/$_->[0].m4s?limit_start=16&limit_end=20")->{status},
    $_->[1], "limits, second part: $_->[0]") for [0, 200], [1, 200], [2, 403];
is(get("$row/$_/0.m4s?limit_start=16&limit_end=20")->{status}, 403,
    "limits, outside: $_") for '1-1-v90', '3-1-v270';
$parts[2]{renditions} = [{ path => 'en.m4a' }];
spew("$films/row.json", encode_json({ parts => \@parts }));
has_status(get("$row/master.m3u8"), 422, 'BAD_TITLE', 'a part of other kinds');

# --- encrypted ---------------------------------------------------------------

# the samples of a playlist of CMAF, decrypted with the keys that it names, each
# segment by itself: one process does all that a playlist has
my (%keys, %samples);
sub samples {
    my ($url) = @_;
    my ($dir) = $url =~ m{^(.*/)};
    my ($key, $init, @in, @maps, @all) = ('');
    for (split /\n/, body($url)) {
        if (/^#EXT-X-KEY:METHOD=SAMPLE-AES(?:-CTR)?,URI="([^"]+)"/) {
            $key = unpack 'H*', body("$dir$1");
        } elsif (/^#EXT-X-MAP:URI="([^"]+)"/) {
            $init = body("$dir$1");
            $key = '';
        } elsif (/^[^#]/) {
            my $b = body("$dir$_");
            $keys{$key}{"$dir$_"} = md5_hex($b) if $key;
            my $n = @maps;
            spew("$t->{dir}/piece-$n.mp4", $init . $b);
            push @in, $key ? ("-decryption_key $key") : (), "-i",
                "$t->{dir}/piece-$n.mp4";
            push @maps, "-map $n";
            push @all, md5_hex($key . $init . $b);
        }
    }
    return $samples{"@all"} //= do {
        my @said = qx(ffmpeg -v error -nostdin @in @maps -c copy -f framemd5 -);
        die "ffmpeg: $?" if $?;
        join '', sort map { /^#/ ? () : s/, S=.*//r } @said;
    };
}
# the playlists of a manifest, by the names of what they are of
sub playlists {
    my ($url) = @_;
    my ($dir) = $url =~ m{^(.*/)};
    return map { m{^((?:\d+-)+\w\d+)~.*/media} ? ($1 => "$dir$_") : () }
        body($url) =~ /(?:URI="|^)([^"#\n]+\.m3u8)/mg;
}

$parts[2]{renditions} = [{ path => 'beach_270.mp4' }, { path => 'beach_90.mp4' }];
spew("$films/row.json", encode_json({ parts => \@parts }));
$list =~ s{^/films}{};
sub both {
    my ($scheme, $title, $clear) = @_;
    is(join(', ', crawl("/$scheme$title/master.m3u8")), '',
        "$scheme$title: all is there");
    my %sealed = playlists("/$scheme$title/master.m3u8");
    my %clear = playlists("/$clear$title/master.m3u8");
    is(join(' ', sort keys %sealed), join(' ', sort keys %clear), 'alike');
    return map { [$_, $sealed{$_}, $clear{$_}] } sort keys %sealed;
}
for my $c (['cbcs', $list], ['cbcs', '/title.json'], ['cenc', '/row.json']) {
    is(samples($_->[1]), samples($_->[2]), "decrypted: $_->[0]")
        for both(@$c, 'films');
}
# ffmpeg asks for the keys by itself, but decodes SAMPLE-AES otherwise
for my $c (['aes', $list, 'films'], ['aes', '/row.json', 'films'],
    ['aests', '/row.json', 'ts'])
{
    my @lists = both(@$c);
    my ($sealed, $clear) = map { my $which = $_;
        [streams(map { ["$base$_->[$which]", 0] } @lists)] } 1, 2;
    is($sealed->[$_], $clear->[$_], "$c->[0]: decrypted: $lists[$_][0]")
        for 0 .. $#lists;
}
my %sats = map { ($_->[0] => $_->[1]) } both('sats', '/row.json', 'ts');
my ($alone) = body('/sats/beach_90.mp4/master.m3u8') =~ /^(v90~\w+)/m;
($one) = $sats{'1-1-v90'} =~ m{^(.*/)};
ok(body("$one$_") eq body("/sats/beach_90.mp4/$alone/$_"), "as alone: $_")
    for '0.ts', '1.ts', '0.key';
my @iv = map { body($_->[1]) =~ /,(IV=0x\w+)/ ? $1 : 'none' }
    [0, $sats{'1-1-v90'}], [0, "/sats/beach_90.mp4/$alone/media.m3u8"];
is($iv[0], $iv[1], 'and the IV that is told');
# where a segment of a row is not counted by its place, AES-128 has it told
for (grep { /^[^#].*i?frames/ || /URI=.*iframes/ }
    split /\n/, body('/aes/row.json/master.m3u8'))
{
    my ($uri) = m{([^"/]+/iframes\.m3u8)} or next;
    $l = body("/aes/row.json/$uri");
    my @told = $l =~ m{IV=0x0*(\w+)"?\n(?:#EXTINF.*\n)(?:.*/)?(\d+)\.iframe}g;
    is(join(' ', map { hex } @told[grep { !($_ & 1) } 0 .. $#told]),
        join(' ', @told[grep { $_ & 1 } 0 .. $#told]), "I-frames: $uri");
    cmp_ok(scalar @told, '>=', 10, 'of two parts');
}
is(join(', ', crawl("/$_/master.m3u8")), '', "$_: all is there")
    for "vod$list", "cbcs/row.json", "aests$list";

# a file has its own keys, which are the same in all titles; so are its bytes
my (%bytes, %key_of, %of);
for my $key (keys %keys) {
    for (keys %{ $keys{$key} }) {
        my ($scheme, $what) = m{^/(\w+)/.*?/(?:\d+-)+(\w\d+~\w+/\d+\.m4s)$};
        my $kind = substr $what, 0, 1;
        my ($hash) = $what =~ /~(\w+)/;
        $bytes{"$scheme $what"}{$keys{$key}{$_}} = 1;
        $key_of{"$scheme $what"}{$key} = 1;
        $of{$key}{"$kind~$hash"} = 1;
    }
}
is(scalar(grep { keys %$_ != 1 } values %bytes, values %key_of), 0,
    'a segment of a file is the same in all titles');
is(scalar(grep { keys %$_ != 1 } values %of), 0,
    'no key is of two files, or of pictures and sound');
cmp_ok(scalar(keys %keys), '>', 20, 'of many');

# DASH: sets of their own, among which players switch; licenses by KID
$mpd = body("/cbcs$list/manifest.mpd");
my @kids = $mpd =~ /cenc:default_KID="([0-9a-f-]{36})"/g;
is(scalar(keys %{{ map { $_ => 1 } @kids }}), 4, 'a key a file, and sound');
is(join(' ', $mpd =~ /switching:2016" value="([^"]+)"/g), '2,3 1,3 1,2',
    'the sets are alternatives');
my $of = sub { encode_base64($_[0], '') =~ tr{+/=}{-_}dr };
my $ask = encode_json({ kids => [map { $of->(pack 'H*', tr/-//dr) } @kids,
    $kids[0]], type => 'temporary' });
my $got = http($t, 'POST', "/cbcs$list/license", body => $ask);
is($got->{status}, 200, 'a license of a title');
my %given = map { $_->{k} => 1 } @{ decode_json($got->{body})->{keys} };
is(scalar(keys %given), 4, 'with the keys of all files');
is(scalar(grep { !$given{$of->(pack 'H*', $_)} } map { my $k = $_;
    grep { m{^/cbcs\Q$list\E/} } keys %{ $keys{$k} } ? $k : () } keys %keys),
    0, 'which are those of the playlists');
is(get("/cbcs$list/1-video/9.key")->{status}, 404, 'no such period');

# a key server is asked for each file, by its own name
is(join(', ', crawl("/asks$list/master.m3u8")), '', 'of a key server');
has_status(get("/mute$list/$_"), 503, 'KEY_SERVER', "of none: $_")
    for 'master.m3u8', '2-v180/media.m3u8';
is(join(' ', sort split /\n/, slurp("$t->{dir}/asked")), join(' ',
    map { "%2Fasks%2Fbeach_$_.mp4" } 180, 270, 90), 'asked for each file');

unlike($t->log, qr/\[(alert|crit)\]/, 'nothing alarming in the log');
done_testing;
