#!/usr/bin/perl

# Subtitle files beside a plain film: found by their names, read as WebVTT or
# SubRip, seen when they change.

use strict;
use warnings;
use lib 't/lib';
use Film;
use File::Path qw(make_path);
use Reel;
use Test::More;

my $t = Reel->new(idle => 1, conf => '
    location /films/ { alias FILMS/; reel_play_files; }
    location /ts/ { alias FILMS/; reel_play_files; reel_hls_segments ts; }
    location /hls/ { alias FILMS/; reel_play_files; reel_vod_compat on; }');
my $films = "$t->{dir}/films";
make_path($films);
$t->{o}{conf} =~ s/FILMS/$films/g;
# key frames at 0, 7 and 14 s: segments are not of one length
film("$films/a.mp4", '-f', 'lavfi', '-i',
    'testsrc2=size=160x90:rate=10:duration=16', '-f', 'lavfi', '-i',
    'sine=frequency=440:sample_rate=48000:duration=16', qw(-c:v libx264
    -preset ultrafast -g 70 -sc_threshold 0 -pix_fmt yuv420p -c:a aac));
link "$films/a.mp4", "$films/$_" or die for 'b.mp4', 'c_1.mp4', 'c_2.mp4';
my $srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>one</i> & two\r\n\r\n"
    . "2\r\n00:00:06,500 --> 00:00:07,500\r\nacross\r\n\r\n"
    . "3\r\n00:00:15,000 --> 00:00:40,000\r\nto the end\r\n";
spew("$films/a.en.srt", $srt);
spew("$films/a.mp4.de-AT.sdh.vtt",
    "WEBVTT\n\n00:03.000 --> 00:04.000 line:0\nGr\xc3\xbc\xc3\x9fe\n");
spew("$films/a.pt_BR.forced.default.srt", $srt);
# of other films, or nobody's
spew("$films/$_", $srt) for 'a.b.vtt', 'ab.en.srt', 'a.en.txt', 'a.-en.srt',
    'a.english.srt', 'a.en.fr.srt', 'aen.srt', 'a.en..srt', 'c.en.srt';
# broken ones
spew("$films/a.fr.srt", "1\n00:00:01,000 --> 00:00:02,000\nfran\xe7ais\n");
spew("$films/a.it.vtt", $srt);
spew("$films/a.es.srt", 'x' x (1 << 20) . 'x');
make_path("$films/a.nl.srt");
spew("$films/c_1.en.srt", $srt);
spew("$films/c_2.en.srt", $srt);
spew("$films/c_2.vtt", "WEBVTT\n\n00:03.000 --> 00:04.000\nnone\n");
$t->nginx_start;
my $base = "http://127.0.0.1:$t->{port}";

sub get { return http($t, 'GET', @_); }
sub body { return get(@_)->{body}; }

my $m = body('/films/a.mp4/master.m3u8');
my @texts = $m =~ /^(#EXT-X-MEDIA:TYPE=SUBTITLES.*)/mg;
is(scalar @texts, 3, 'three texts') or diag $m;
my ($en) = grep { /LANGUAGE="en"/ } @texts;
my ($de) = grep { /LANGUAGE="de-AT".*CHARACTERISTICS="public.acc/ } @texts;
my ($pt) = grep { /LANGUAGE="pt-BR",DEFAULT=YES.*FORCED=YES/ } @texts;
ok($en && $de && $pt, 'as their names say') or diag "@texts";
like($m, qr/SUBTITLES="text"/, 'of each variant');
my ($list) = $en =~ /URI="([^"]+)"/;
my ($dir) = $list =~ m{^(.*/)};
my $l = body("/films/a.mp4/$list");
is(join(' ', $l =~ /^(\d\S+)/mg), '0.vtt 1.vtt 2.vtt', 'in segments');
is(join(' ', $l =~ /EXTINF:([\d.]+)/g), '7.000000 7.000000 2.000000',
    'as long as those of the pictures');
my @cues = map { [body("/films/a.mp4/$dir$_.vtt") =~ /-->.*\n(.*)\n/g] } 0..2;
is_deeply(\@cues, [['<i>one</i> &amp; two', 'across'], ['across'],
    ['to the end']], 'a cue in each segment in which it is seen');
like(body("/films/a.mp4/${dir}0.vtt"), qr/MPEGTS:0,/, 'their clock');
my $whole = get("/films/a.mp4/${dir}subtitles.vtt");
has_status($whole, 200, undef, 'a text as one file');
has_header($whole, 'Content-Type', qr{^text/vtt}, 'its type');
has_header($whole, 'Cache-Control', qr/immutable/, 'for ever');
is(scalar(() = $whole->{body} =~ /-->/g), 3, 'of all cues');
like(body("/films/a.mp4/${dir}subtitles.vtt?start=6&end=8"),
    qr/\A\S+\n\n00:00:00.500 --> 00:00:01.500\nacross\n\n\z/, 'a clip of it');
has_status(get("/films/a.mp4/${dir}$_"), 404, 'NOT_FOUND', $_)
    for '3.vtt', '0.m4s', '0.ts', 'init.mp4', 'iframes.m3u8';
my ($dir_de) = $de =~ m{URI="([^"]+/)};
is(body("/films/a.mp4/${dir_de}subtitles.vtt"),
    slurp("$films/a.mp4.de-AT.sdh.vtt"), 'WebVTT stays as it is');

# the same films in other ways
my $mpd = body('/films/a.mp4/manifest.mpd');
is(scalar(() = $mpd =~ /contentType="text"/g), 3, 'in DASH');
my ($url) = $mpd =~ m{<BaseURL>(s\S+subtitles\.vtt)</BaseURL>};
is(get("/films/a.mp4/$url")->{status}, 200, 'which is there');
($list) = body('/ts/a.mp4/master.m3u8') =~ m{SUBTITLES.*URI="([^"]+/)media};
like(body("/ts/a.mp4/${list}0.vtt"), qr/MPEGTS:900000,/, 'beside TS');
$mpd = body('/hls/a.mp4/clipFrom/6000/clipTo/8000/manifest.mpd');
($url) = $mpd =~ m{<BaseURL>(s1~\w+/subtitles\.vtt)</BaseURL>};
is(body("/hls/a.mp4/clipFrom/6000/clipTo/8000/$url"),
    body("/hls/a.mp4/$url?start=6&end=8"), 'a clip by the path');
$l = body('/hls/a.mp4/index-s1.m3u8');
like($l, qr/^seg-1-s1\.vtt$/m, "by nginx-vod-module's names");
like(body('/hls/a.mp4/seg-1-s1.vtt'), qr/-->/, 'too');
unlike(body('/films/b.mp4/master.m3u8'), qr/SUBTITLES/, 'a film without');
$m = body('/films/c_,1,2,.mp4.urlset/master.m3u8');
is(join(' ', sort map { /LANGUAGE="(\w+)"/ }
    $m =~ /^(#EXT-X-MEDIA:TYPE=SUB.*)/mg), 'en und', 'a title: each once');
($list) = $m =~ m{SUBTITLES.*LANGUAGE="en".*URI="([^"]+/)media};
like(body("/films/c_,1,2,.mp4.urlset/${list}0.vtt"), qr/across/, 'is there');
my $said = qx(ffmpeg -v error -i '$base/films/a.mp4/${dir}subtitles.vtt' -f webvtt - 2>&1);
is(scalar(() = $said =~ /-->/g), 3, 'ffmpeg reads them') or diag $said;

# what is left out is told, with the reason
my $log = $t->log;
like($log, qr/"a\.$_->[0]" beside "\Q$films\E\/a\.mp4" is left out: $_->[1]/,
    $_->[0]) for ['fr.srt', 'byte 36 is 0xe7: it is not UTF-8'],
    ['it.vtt', 'it does not begin with WEBVTT'],
    ['es.srt', 'it has over 1024 KiB'];
unlike($log, qr/nl\.srt/, 'a folder is no text');

# changes are seen within a second or two
sub names {
    my $list = body("/films/$_[0].mp4/master.m3u8");
    return join ' ', $list =~ /SUBTITLES.*LANGUAGE="([\w-]+)"/g;
}
spew("$films/b.en.srt", $srt);
wait_for(sub { names('b') eq 'en' }, 'a new one');
my $old = body('/films/b.mp4/master.m3u8');
(my $later = $srt) =~ s/across/over it/;
spew("$films/new", $later);
rename "$films/new", "$films/b.en.srt" or die;
wait_for(sub { body('/films/b.mp4/master.m3u8') ne $old }, 'one replaced');
($list) = body('/films/b.mp4/master.m3u8') =~ m{SUBTITLES.*URI="([^"]+/)media};
like(body("/films/b.mp4/${list}1.vtt"), qr/over it/, 'has what it says now');
unlink "$films/b.en.srt" or die;
wait_for(sub { names('b') eq '' }, 'one removed');
# tracks of text within the file
spew("$t->{dir}/w.srt", "1\n00:00:01,000 --> 00:00:02,500\n<i>in</i>side\n\n"
    . "2\n00:00:08,000 --> 00:00:09,000\nlater\nstill\n");
ffmpeg('-i', "$films/a.mp4", '-i', "$t->{dir}/w.srt", '-i',
    "$t->{dir}/w.srt", qw(-map 0 -map 1 -map 2 -c copy -c:s mov_text
    -metadata:s:s:0 language=ger), "$films/w.mp4");
my $within = http($t, 'GET', '/films/w.mp4/master.m3u8')->{body};
like($within, qr/TYPE=SUBTITLES[^\n]*LANGUAGE="ger"[^\n]*s1~/,
    'a track within the file, with its language') or diag $within;
my $vtt = http($t, 'GET', '/films/w.mp4/s1/subtitles.vtt')->{body};
is($vtt, "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<i>in</i>side\n\n"
    . "00:00:08.000 --> 00:00:09.000\nlater\nstill\n", 'says the same');
like(http($t, 'GET', '/films/w.mp4/s2/1.vtt')->{body},
    qr/later\nstill/, 'in segments');
like(http($t, 'GET', '/films/w.mp4/manifest.mpd')->{body},
    qr/lang="ger"/, 'in DASH');

# chapters are none, if their entry is the same
spew("$t->{dir}/meta", ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=5\n"
    . "title=one\n[CHAPTER]\nTIMEBASE=1/1\nSTART=5\nEND=16\ntitle=two\n");
ffmpeg('-i', "$films/a.mp4", '-i', "$t->{dir}/meta",
    qw(-map 0 -map_metadata 1 -c copy), "$films/ch.mp4");
my $chapters = slurp("$films/ch.mp4");
is($chapters =~ s/(stsd.{12})text/$1tx3g/s, 1, 'a track of chapters');
spew("$films/ch.mp4", $chapters);
unlike(http($t, 'GET', '/films/ch.mp4/master.m3u8')->{body}, qr/SUBTITLES/,
    'is no text');

unlike($t->log, qr/\[(alert|crit)\]/, 'nothing alarming in the log');
done_testing;
