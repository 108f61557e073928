#!/usr/bin/perl

# Parameters of manifests: clips, heights, what is malformed, what is absent;
# the key of caches. What a clip lists in detail: tests/unit/manifest.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new(
    conf => '
    location /play/ { reel_play; }
    location /log/ { reel_play; add_header X-Key $reel_cache_key always; }
    location /even/ { reel_play; reel_dash_segments duration; }');
my $a = Asset->new($t, fragments => 30, sheets => 2, renditions => [
    'v720:video:40000', 'v360:video:9000:height=360',
    'a128:audio:8000:language=en', 'a128-de:audio:8000:language=de,roles=32',
    'sub-en:text:30:language=en,roles=2']);
my $one = Asset->new($t, fragments => 3, renditions => ['a128:audio:8000']);

sub get { return http($t, 'GET', $a->url(@_)); }
sub body { return get(@_)->{body}; }
sub lines { my ($re, $text) = @_; return scalar(() = $text =~ /$re/g); }

# what is malformed or absurd
for my $case (
    ['start=', 'start'], ['start=x', 'start'], ['start=-1', 'start'],
    ['start=1e3', 'start'], ['start=1.', 'start'], ['start=.5', 'start'],
    ['start=1.5.2', 'start'], ['start=+1', 'start'], ['start=%zz', 'start'],
    ['start=1000000001', 'start'], ['start=99999999999999999999', 'start'],
    ['start', 'start'], ['STart=x', 'start'], ['start=1&START=1', 'start'],
    ['end=0', 'end'], ['end=0.0000001', 'end'], ['start=5&end=5', 'end'],
    ['start=9&end=5', 'end'], ['end=12&end=13', 'end'],
    ['max_height=0', 'max_height'], ['max_height=65536', 'max_height'],
    ['max_height=720p', 'max_height'], ['max_height=7.5', 'max_height'],
    ['min_height=-1', 'min_height'],
    ['min_height=500&max_height=400', 'max_height'])
{
    my ($q, $name) = @$case;
    for my $what ('master.m3u8', 'manifest.mpd') {
        my $x = get("$what?$q");
        has_status($x, 400, 'BAD_PARAMETER', "$what?$q");
        like(json($x->{body})->{detail}, qr/^$name /, 'it is named');
    }
}
has_status(get('media.m3u8?start=x', 'v720', 3), 400, 'BAD_PARAMETER',
    'media playlist');
has_status(get('iframes.m3u8?end=x', 'v720', 3), 400, 'BAD_PARAMETER',
    'I-frame playlist');

# what is not ours is passed over, and of segments everything
my $master = body('master.m3u8');
for my $q ('token=a.b.c', '_HLS_msn=3', 'starts=x', '%73tart=x', '', '=', '&&',
    'x' x 300, 'a=%zz', '%zz=1', 'start=0', 'max_height=720&token=x')
{
    is(body("master.m3u8?$q"), $master, "as without: " . substr $q, 0, 20);
}
is(get('0.m4s?start=x', 'v720', 3)->{status}, 200, 'a segment minds nothing');

# clips
my $clip = body('master.m3u8?end=20&start=13.5');
is(lines(qr/media\.m3u8\?start=13\.5&end=20\b/, $clip), 5,
    'its playlists are of the clip, in one spelling');
is(lines(qr/iframes\.m3u8\?start=13\.5&end=20"/, $clip), 2, 'I-frames too');
is(body('master.m3u8?start=13.500&end=20.0'), $clip, 'other spellings');
like($clip, qr/^#EXT-X-START:TIME-OFFSET=1\.500000,PRECISE=YES$/m,
    'the instant');
for my $r ('v720', 'v360', 'a128', 'sub-en') {
    my $ext = $r eq 'sub-en' ? 'vtt' : 'm4s';
    my $m = body('media.m3u8?start=13.5&end=20', $r, 3);
    is(join(' ', $m =~ /^(\d+)\.$ext$/mg), '2 3', "$r: segments");
    like($m, qr/^#EXT-X-MEDIA-SEQUENCE:2$/m, "$r: numbers");
    like($m, qr/^#EXT-X-START:TIME-OFFSET=1\.500000,PRECISE=YES$/m,
        "$r: instant");
    like($m, qr/^#EXT-X-ENDLIST$/m, "$r: end");
}
is(lines(qr/^#EXTINF/m, body('iframes.m3u8?start=13.5&end=20', 'v720', 3)), 6,
    'I-frames of two segments');
like(body('manifest.mpd?start=13.5&end=20'),
    qr/mediaPresentationDuration="PT10\.5S"/, 'MPD: to the end of its last segment');
for my $q ('start=60', 'start=61&end=70', 'start=1000000') {
    for my $what ('master.m3u8', 'manifest.mpd') {
        my $x = get("$what?$q");
        has_status($x, 404, 'NOT_FOUND', "$what?$q");
        like(json($x->{body})->{detail}, qr/clip/, 'it says why');
    }
    has_status(get("media.m3u8?$q", 'a128', 3), 404, 'NOT_FOUND', "media $q");
}
like(body('manifest.mpd?start=59&end=99'),
    qr/mediaPresentationDuration="PT1\.011S"/, 'an end behind the film\'s');
is(body('media.m3u8', 'v720', 3),
    body('media.m3u8?end=60', 'v720', 3), 'the whole as a clip');

# I-frames are moof and the first sample of the fragment
my $iframes = body('iframes.m3u8', 'v720', 3);
is(lines(qr/^#EXTINF:2\.000000,$/m, $iframes), 30, 'an I-frame each 2 s');
like($iframes, qr/^#EXT-X-I-FRAMES-ONLY$/m, 'I-frames only');
like($iframes, qr/^#EXT-X-MAP:URI="init\.mp4"$/m, 'header');
my ($n, $wrong) = (0, 0);
while ($iframes =~ /^#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\d+)\.m4s$/mg) {
    my $x = http($t, 'GET', $a->url("$3.m4s", 'v720', 3),
        headers => { Range => sprintf 'bytes=%d-%d', $2, $2 + $1 - 1 });
    my $f = $a->cut('v720', $a->{fragment}{v720}[$n]);
    my $moof = unpack 'N', $f;
    $wrong++ unless $x->{status} == 206 && $x->{body} eq substr($f, 0, $1)
        && $3 == int($n / 3) && $1 > $moof + 8 && $1 < length $f;
    $n++;
}
is("$n $wrong", '30 0', 'each range is the head of its fragment');
like(body('iframes.m3u8', 'v720'), qr{^\.\./v720~$a->{hash}{3}/0\.m4s$}m,
    'a bare one names versions');
has_status(get('iframes.m3u8', 'a128', 3), 404, 'NOT_FOUND', 'of sound');
has_status(get('iframes.m3u8', 'sub-en', 3), 404, 'NOT_FOUND', 'of text');

# the subtitles of a clip in DASH: one file, from its start on
my ($uri) = body('manifest.mpd?start=13.25&end=19')
    =~ m{<BaseURL>(sub-en~\w+/subtitles\.vtt\?start=13\.25&amp;end=19)<};
ok(defined $uri, 'the MPD names them') or $uri = '';
my $vtt = get($uri =~ s/&amp;/&/r);
has_status($vtt, 200, undef, 'subtitles of the clip');
has_header($vtt, 'Content-Type', qr{^text/vtt}, 'subtitles of the clip');
has_header($vtt, 'Cache-Control', qr/immutable/, 'subtitles of the clip');
is(join(' ', $vtt->{body} =~ /^sub-en (\d+)/mg), '6 7 8', 'its cues');
like($vtt->{body}, qr/^00:00:00\.000 --> 00:00:00\.250\nsub-en 6 /m,
    'the first, as far as it is seen');
like($vtt->{body}, qr/^00:00:01\.250 --> 00:00:02\.250\nsub-en 7 /m,
    'times count from the start');
isnt($vtt->{headers}{etag}, get('subtitles.vtt', 'sub-en', 3)->{headers}{etag},
    'another ETag than the whole has');
has_status(get('subtitles.vtt?start=60', 'sub-en', 3), 404, 'NOT_FOUND',
    'behind the end');
has_status(get('subtitles.vtt?start=x', 'sub-en', 3), 400, 'BAD_PARAMETER',
    'malformed');

# heights
is(lines(qr/STREAM-INF/, body('master.m3u8?max_height=400')), 2,
    'the lower one and its I-frames');
unlike(body('master.m3u8?max_height=719'), qr/v720/, 'at most');
unlike(body('master.m3u8?min_height=361'), qr/v360/, 'at least');
like(body('manifest.mpd?min_height=360&max_height=360'),
    qr/id="v360"(?!.*id="v720").*contentType="audio"/s, 'exactly');
my $x = get('master.m3u8?max_height=100');
has_status($x, 404, 'NOT_FOUND', 'nothing of such a height');
like(json($x->{body})->{detail}, qr/height/, 'it says why');
has_status(get('manifest.mpd?min_height=2000'), 404, 'NOT_FOUND', 'MPD');
is(http($t, 'GET', $one->url('master.m3u8?max_height=100'))->{status}, 200,
    'sound alone has no height');

# ETags: of each shape its own, of each spelling the same
my %etag;
$etag{get($_)->{headers}{etag}}++ for 'master.m3u8', 'master.m3u8?start=7',
    'master.m3u8?end=7', 'master.m3u8?max_height=720',
    'master.m3u8?min_height=720', 'master.m3u8?start=7&max_height=720';
is(scalar keys %etag, 6, 'ETags differ');
my $e = get('master.m3u8?start=7&end=9')->{headers}{etag};
has_status(http($t, 'GET', $a->url('master.m3u8?end=9.0&x=y&start=07'),
    headers => { 'If-None-Match' => $e }), 304, undef, 'one shape, one ETag');

# MPDs by duration, where it can be
my $even = http($t, 'GET', "/even/$a->{id}/manifest.mpd");
like($even->{body}, qr/ duration="180000" startNumber="0"/, 'by duration');
unlike($even->{body}, qr/SegmentTimeline/, 'no timeline');
isnt($even->{headers}{etag}, get('manifest.mpd')->{headers}{etag},
    'another ETag');
like(body('manifest.mpd'), qr/SegmentTimeline/, 'elsewhere by timeline');
like(http($t, 'GET', "/even/$a->{id}/manifest.mpd?start=7")->{body},
    qr/SegmentTimeline/, 'a clip by timeline');

# keys of caches
my $id = $a->{id};
for my $case (
    ['master.m3u8?token=abc', 'master.m3u8'],
    ['master.m3u8?max_height=720&token=x&end=9.50&start=7',
        'master.m3u8?start=7&end=9.5&max_height=720'],
    ["v720~$a->{hash}{3}/0.m4s?token=abc", "v720~$a->{hash}{3}/0.m4s"],
    ['v720/0.ts?token=abc', 'v720/0.ts'],
    ["v720~$a->{hash}{3}/media.m3u8?max_height=9&start=7",
        "v720~$a->{hash}{3}/media.m3u8?start=7"])
{
    is(http($t, 'GET', "/log/$id/$case->[0]")->{headers}{'x-key'},
        "$id/1/$case->[1]", "key of $case->[0]");
}
for my $none ("$id/master.m3u8?start=x", Asset::new_id() . '/master.m3u8') {
    is(http($t, 'GET', "/log/$none")->{headers}{'x-key'}, undef,
        "no key: $none");
}

# what takes long to print is printed beside the event loop
my $long = Asset->new($t, fragments => 40000, data => 0, object => 1000,
    renditions => ['v360:video:900']);
is(lines(qr/^\d+\.m4s$/m, http($t, 'GET', $long->url('media.m3u8', 'v360',
    3))->{body}), 13334, 'a film of a day');
is(lines(qr/^\d+\.m4s$/m, http($t, 'GET', $long->url(
    'iframes.m3u8?start=60000', 'v360', 3))->{body}), 10000, 'a clip of it');
unlike($t->log, qr/\[(error|crit|alert)\]/, 'nothing was logged as wrong');

done_testing;
