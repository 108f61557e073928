#!/usr/bin/perl

# reel_vod_compat: the URLs of nginx-vod-module, and manifests that name the
# same ones.

use strict;
use warnings;
use lib 't/lib';
use Film;
use File::Path qw(make_path);
use JSON::PP;
use Reel;
use Test::More;
use Token;

my $t = Reel->new(idle => 1, http => 'reel_master_keys master.json;
    reel_token_keys tokens.json;', conf => '
    location /hls/ { alias FILMS/; reel_play_files; reel_vod_compat on;
        reel_hls_segments ts; reel_files_map json; }
    location /dash/ { alias FILMS/; reel_play_files; reel_vod_compat on; }
    location /enc/ { alias FILMS/; reel_play_files; reel_vod_compat on;
        reel_encryption aes-128; }
    location /token/ { alias FILMS/; reel_play_files; reel_vod_compat on;
        reel_token required; }
    location /own/ { alias FILMS/; reel_play_files; }');
my $films = "$t->{dir}/films";
make_path($films);
$t->{o}{conf} =~ s/FILMS/$films/g;
my @in = ('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10:duration=14',
    '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=14',
    '-f', 'lavfi', '-i', 'sine=frequency=880:sample_rate=48000:duration=14');
my @code = (qw(-map 0 -map 1 -c:v libx264 -preset ultrafast -g 20
    -pix_fmt yuv420p -c:a aac -b:a 64k));
film("$films/a.mp4", @in, @code, qw(-map 2 -metadata:s:a:0 language=eng
    -metadata:s:a:1 language=ger));
film("$films/b_1.mp4", @in, @code);
film("$films/b_2.mp4", @in, @code, qw(-s 320x180));
film("$films/c.mp4", @in, @code, qw(-c:a ac3 -t 2));
spew("$films/row.json", encode_json({ parts => [
    { renditions => [{ path => 'b_1.mp4' }] },
    { renditions => [{ path => 'b_2.mp4' }] }] }));
key_file("$t->{dir}/tokens.json", 'one');
$t->nginx_start;
my $base = "http://127.0.0.1:$t->{port}";

sub get { return http($t, 'GET', @_); }
sub body { return get(@_)->{body}; }

sub stream {
    my ($in, $what) = @_;
    open my $p, '-|', qw(ffmpeg -v error -nostdin -i),
        $in, '-map', "0:$what", qw(-vsync passthrough -f streamhash
            -hash md5 -) or die;
    local $/;
    my $said = <$p> // '';
    return $said =~ /MD5=(\w+)/ ? $1 : "none: $said";
}

# every URI of a playlist, and of the playlists in it: what is there not, and
# what is named otherwise than nginx-vod-module does
sub crawl {
    my ($url, $names) = @_;
    my $x = get($url);
    return "$url: $x->{status}" if $x->{status} != 200;
    return () if $url !~ /m3u8/;
    my ($dir) = $url =~ m{^([^?]*/)};
    return map { (/$names/ ? () : "named $_", crawl("$dir$_", $names)) }
        $x->{body} =~ /URI="([^"]+)"/g, $x->{body} =~ /^([^#\n].*)/mg;
}

my $track = qr/(?:f\d-)?(?:[va]\d|v1-a\d)/;
my $hls = qr/^(?:(?:index|iframes|init)-$track\.(?:m3u8|mp4)
    |seg-\d-$track\.(?:ts|m4s))$/x;
my ($film, $set) = ('/hls/a.mp4', '/hls/b_,1,2,.mp4.urlset');
my %pictures = map { $_ => stream("$films/$_.mp4", 'v') } qw(a b_1 b_2);
my $m = body("$film/master.m3u8");
is(join(' ', sort $m =~ /([\w-]+\.m3u8)/g), 'iframes-v1.m3u8 index-a1.m3u8 index-a2.m3u8 '
    . 'index-v1.m3u8', 'the master playlist of a file');
is(join(', ', map { crawl($_, $hls) } "$film/master.m3u8",
    "$film/index-v1-a2.m3u8", "$set/master.m3u8", '/dash/a.mp4/index.m3u8'),
    '', 'all that is named is there, by those names');
like(body("$film/index-v1.m3u8"), qr/^seg-1-v1.ts\n.*^seg-2-v1.ts$/ms,
    'segments count from 1');
is(body("$film/seg-1-v1.ts"), body("/own/a.mp4/v90/0.ts"), 'and are ours');
is(body("/dash/a.mp4/fragment-2-a1-x3.m4s"),
    body('/dash/a.mp4/seg-2-a1.m4s'), 'of DASH too');
my $one = body('/dash/a.mp4/index-v1-a2.m3u8');
like($one, qr/^#EXT-X-MEDIA:.*URI="index-a2/m, 'one track of sound, told');
unlike($one, qr/index-a1/, 'and no other');

# transport streams of pictures and sound together
for (0, 1) {
    my $name = 'v1-a' . ($_ + 1);
    like(body("$film/index-$name.m3u8"),
        qr/^seg-1-$name\.ts\n.*^seg-3-$name\.ts$/ms, "segments of $name");
    is(stream("$base$film/index-$name.m3u8", 'a'),
        stream("$base$film/index-a" . ($_ + 1) . '.m3u8', 'a'), 'its sound');
    my ($all, $wrong) = (body("$film/seg-2-$name.ts"), 0);
    is(get("$film/seg-2-$name.ts", method => 'HEAD')->{headers}
        {'content-length'}, length $all, 'its length is told');
    for (1 .. 9) {
        my $from = int rand length $all;
        $wrong++ if get("$film/seg-2-$name.ts", headers => { Range =>
            "bytes=$from-" . ($from + 4000) })->{body}
            ne substr $all, $from, 4001;
    }
    is($wrong, 0, 'ranges of it');
}
is(body("$film/seg-1.ts"), body("$film/seg-1-v1-a1.ts"), 'the first ones');
is(body("$film/iframes-v1-a1.m3u8"), body("$film/iframes-v1.m3u8"),
    'their I-frames');
like(body('/hls/b_1.mp4/index.m3u8'), qr/^seg-1-v1-a1\.ts$/m,
    'a file of two tracks');
like(body("$set/index-f2-v1-a1.m3u8"), qr/^seg-1-f2-v1-a1\.ts$/m,
    'and of a title');
is(stream("$base$set/index-f2-v1-a1.m3u8", 'v'), $pictures{b_2}, 'plays');
like(body("/hls/c.mp4/index-v1-a1.m3u8"), qr/^index-v1\.m3u8$/m,
    'what no transport stream carries has playlists of its own');
like(body("/hls/,b_1,c,.mp4.urlset/index-f2-v1-a1.m3u8"),
    qr/^index-f2-v1\.m3u8$/m, 'in a title too');
has_status(get('/enc/b_1.mp4/seg-1-v1-a1.ts'), 404, 'NOT_FOUND', 'encrypted');
for my $url ("$film/master.m3u8", "$film/index.m3u8", "$film/index-v1.m3u8",
    "$film/index-v1-a1.m3u8", '/dash/a.mp4/manifest.mpd',
    '/dash/a.mp4/index-v1-a1.m3u8', '/enc/a.mp4/master.m3u8',
    "$film/clipFrom/0/clipTo/60000/index.m3u8")
{
    is(stream("$base$url", 'v'), $pictures{a}, "$url plays");
}
for my $manifest ("$set/master.m3u8", "$set/index.m3u8",
    '/dash/b_,1,2,.mp4.urlset/manifest.mpd')
{
    is(join(' ', sort map { stream("$base$manifest", "v:$_") } 0, 1),
        join(' ', sort @pictures{qw(b_1 b_2)}), "$manifest plays");
}
is(stream("$base$set/index-f2-v1.m3u8", 'v'), $pictures{b_2}, 'of file 2');
unlike(body("$set/master-f1.m3u8"), qr/f2-/, 'one file of two');
like(body('/dash/a.mp4/manifest.mpd'), qr{initialization="init-\$Representa
    tionID\$\.mp4"[ ]media="fragment-\$Number\$-\$RepresentationID\$\.m4s"}x,
    'an MPD names them too');
my $mpd = body('/dash/b_,1,2,.mp4.urlset/manifest-f1-v1-a1.mpd');
is(join(' ', $mpd =~ /<Representation id="([^"]+)/g), 'f1-v1 f1-a1',
    'as its Representations');

# clips by the path
my $clip = "$film/clipFrom/7000/clipTo/9000";
is(join(' ', body("$clip/index-v1.m3u8") =~ /^(seg\S+)/mg), 'seg-2-v1.ts',
    'a clip is of one segment');
is(join(', ', crawl("$clip/master.m3u8", $hls)), '', 'which is there');
is(body("$clip/index-v1.m3u8"), body("$film/index-v1.m3u8?start=7&end=9"),
    'as by the query');
is(join(' ', body("$film/clipFrom/1000/index.m3u8?end=5") =~ /(\?.*?)"/g),
    '?end=5 ?end=5 ?end=5', 'what the query says is for its playlists too');
has_status(get("$film/clipFrom/99000/index.m3u8"), 404, 'NOT_FOUND',
    'behind the end');
has_status(get("$film/clipFrom/9000/clipTo/9000/index.m3u8"), 400,
    'BAD_PARAMETER', 'of nothing');

# what is kept of one is not for the other, whichever is asked for first
my ($own, $other) = ('/hls/b_1.mp4/', "$set/");
for (['index-v1.m3u8', $own, $other], ['index-a1.m3u8', $other, $own],
    ['iframes.m3u8', $own, $other], ['iframes-v1.m3u8', $other, $own])
{
    my ($name, @dirs) = @$_;
    my %of = map { $_ => body("$_$name") } @dirs;
    unlike($of{$own}, qr/f1-/, "$name of a file");
    like($of{$other}, qr/f1-[va]1/, 'and of a title that has it');
}
body("$set/index-f2-v1.m3u8");
has_status(get('/hls/b_2.mp4/index-f2-v1.m3u8'), 404, 'NOT_FOUND',
    'a file has no second one');
my @clips = ("$film/clipFrom/7000/clipTo/9000/master.m3u8",
    "$film/master.m3u8?start=7&end=9", "$film/master.m3u8?start=6&end=9",
    "$film/clipFrom/6000/clipTo/9000/master.m3u8");
is(join(' ', map { scalar(() = body($_) =~ /\?start=[67]&end=9/g) } @clips),
    '0 4 4 0', 'only a clip by the query goes on in it');

# films in a row have our names, below the same manifests
like(body('/hls/row.json/index.m3u8'), qr{^1-1-v90~\w+/media\.m3u8$}m, 'row');
is(join(', ', crawl('/hls/row.json/master.m3u8', qr/./)), '', 'plays');
has_status(get('/hls/row.json/index-v1.m3u8'), 404, 'NOT_FOUND',
    'by no other names');

is(join(', ', crawl('/hls/row.json/clipFrom/1000/clipTo/9000/index.m3u8',
    qr/./)), '', 'and a clip of them');

# encrypted
is(length body('/enc/a.mp4/encryption.key'), 16, 'a key');
is(join(', ', crawl('/enc/a.mp4/master.m3u8', qr/./)), '', 'all is there');
$clip = '/enc/a.mp4/clipFrom/7000/clipTo/9000';
my ($key) = body("$clip/index-v1.m3u8") =~ /URI="(v90~\w+.0.key)"/;
is(body("$clip/$key"), body("/enc/a.mp4/$key"), 'the key of a clip');
is(join(', ', crawl("$clip/master.m3u8", qr/./)), '', 'and all else of it');

# a token that has expired: who plays goes on for as long as the film is
my @late = map { token({ sub => 'a.mp4', exp => int(time) - 62 - $_ }) } 0, 60;
for (qw(index-v1.m3u8 index-a2.m3u8 iframes-v1.m3u8 seg-1-v1.m4s init-v1.mp4)) {
    is(get("/token/$late[0]/a.mp4/$_")->{status}, 200, "goes on: $_");
    has_status(get("/token/$late[1]/a.mp4/$_"), 403, 'TOKEN_EXPIRED', $_);
}
for (qw(master.m3u8 index.m3u8 index-v1-a1.m3u8 manifest-v1.mpd)) {
    has_status(get("/token/$late[0]/a.mp4/$_"), 403, 'TOKEN_EXPIRED',
        "begins: $_");
}

# what is not there; ours is
has_status(get("$film/$_"), 404, 'NOT_FOUND', $_) for 'seg-9-v1.ts',
    'seg-1-v2.ts', 'seg-1-v1-a9.ts', 'seg-1-v1-a1-a2.ts', 'index-v9.m3u8',
    'seg-1-f2-v9.ts', 'iframes-a1.m3u8', 'seg-99999999999-v1.ts',
    'seg-1-v64.ts', 'init-v1-v2.mp4', 'seg-1-s1.vtt', 'seg-1-f2-v1.ts',
    'master-f2.m3u8', 'manifest-v9.mpd';
has_status(get("$set/$_"), 404, 'NOT_FOUND', $_) for 'seg-1-f3-v1.ts',
    'index-f9-v1.m3u8';
has_status(get("$film/$_"), 400, 'BAD_PATH', $_) for 'seg-0-v1.ts',
    'seg-01-v1.ts', 'seg-v1.ts', 'index-v0.m3u8', 'index-q1.m3u8',
    'index-.m3u8', 'seg--1-v1.ts', 'index-v65.m3u8', 'seg-1-v1.mp4',
    'index-' . 'f1-' x 65 . 'v1.m3u8';
is(get("$film/v90/0.ts")->{status}, 200, 'our own names too');
has_status(get('/own/a.mp4/index.m3u8'), 400, 'BAD_PATH', 'off');
unlike($t->log, qr/\[(?:error|alert|crit|emerg)\]/, 'nothing is logged');
done_testing;
