#!/usr/bin/perl
# last: a deadline is measured, with slack for a busy machine

# What an asset that has nothing to play answers, and how soon a deletion is
# seen by a node whose zone holds the index.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use File::Path qw(make_path remove_tree);
use JSON::PP;
use Reel;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Reel->new(workers => 2, conf => '
    location /play/ { reel_play; add_header X-Status $reel_status always; }');

sub request_json {
    my ($id) = @_;
    return encode_json({ asset => $id, project => 'default',
        pipeline => 'default', name => 'a.mp4', size => 1,
        created_ms => 1700000000000 });
}

sub result_json {
    my ($id, $publication) = @_;
    return encode_json({ asset => $id, publication => $publication,
        ready => JSON::PP::false, completed_ms => 1700000001000, duration_ms => 0,
        renditions => [], code => 'NOT_A_VIDEO', stage => 'inspect',
        detail => 'It is not one.', log => '',
        retryable => JSON::PP::false });
}

sub asset_dir {
    my ($id) = @_;
    my $d = "$t->{dir}/store/assets/" . substr($id, -2) . "/$id";
    make_path($d);
    return $d;
}

sub each_path {
    my ($id, $status, $code, $name) = @_;
    for my $p ('master.m3u8', 'manifest.mpd', 'v720/media.m3u8',
        'v720~0123456789/0.m4s', 'a128/init.mp4', 'poster.jpg')
    {
        my $x = http($t, 'GET', "/play/$id/$p");
        has_status($x, $status, $code, "$name: $p");
        is($x->{headers}{'x-status'}, $code, "$name: \$reel_status");
        is($x->{headers}{'retry-after'}, $status == 503 ? 5 : undef,
            "$name: Retry-After");
    }
    my $h = http($t, 'HEAD', "/play/$id/master.m3u8");
    ok($h->{status} == $status && $h->{body} eq '', "$name: HEAD");
}

my $id = Asset::new_id();
each_path($id, 404, 'NOT_FOUND', 'absent');

# a source alone is no asset yet
spew(asset_dir($id) . '/source', 'x');
each_path($id, 404, 'NOT_FOUND', 'source only');

spew(asset_dir($id) . '/request.json', request_json($id));
each_path($id, 503, 'PREPARING', 'preparing');

spew(asset_dir($id) . '/result.json', result_json($id, 1));
each_path($id, 404, 'ERRORED', 'errored');

make_path("$t->{dir}/store/pending");
spew("$t->{dir}/store/pending/$id.1", '');
each_path($id, 404, 'ERRORED', 'errored, its own entry still pending');

spew("$t->{dir}/store/pending/$id.2", '');
each_path($id, 503, 'PREPARING', 'a retry is on its way');

spew(asset_dir($id) . '/tombstone', '');
each_path($id, 410, 'DELETED', 'deleted');
remove_tree(asset_dir($id));

# none of these states was kept: an index is seen at once
$id = Asset::new_id();
spew(asset_dir($id) . '/request.json', request_json($id));
has_status(http($t, 'GET', "/play/$id/master.m3u8"), 503, 'PREPARING',
    'before the index');
my $a = Asset->new($t, id => $id, fragments => 6, growing => 1,
    published => 2);
has_status(http($t, 'GET', "/play/$id/master.m3u8"), 200, undef,
    'with the index');

# an index plays while a result says errored: a retry of a ready asset failed
spew($a->file('result.json'), result_json($id, 2));
sleep 1.1;
has_status(http($t, 'GET', $a->url('master.m3u8')), 200, undef,
    'the older publication plays on');

# deletion by another node: seen within a second, though objects are gone
# before that; never a 500
http($t, 'GET', $a->url('1.m4s', 'v720', 1)) for 1 .. 4;
spew($a->file('tombstone'), '');
my $deleted = time;
my %seen;
for my $left (4, 3, 2, 1) {
    unlink $a->file("$_") for map { "v720/$_" } ($a->objects('v720'))[0];
    $seen{http($t, 'GET', $a->url('0.m4s', 'v720', 1))->{status}}++;
}
is(join(' ', sort keys %seen), '410', 'objects are gone: 410 at once');
wait_for(sub { http($t, 'GET', $a->url('master.m3u8'))->{status} == 410 },
    'the playlist goes', 10);
cmp_ok(time - $deleted, '<', 5, 'the playlist goes within a second');
each_path($id, 410, 'DELETED', 'deleted after it played');

# the same without objects unlinked
my $b = Asset->new($t, fragments => 3, renditions => ['v720:video:9000']);
my $url = $b->url('0.m4s', 'v720', 3);
http($t, 'GET', $url) for 1 .. 4;
spew($b->file('tombstone'), '');
$deleted = time;
sleep 1.05;
has_status(http($t, 'GET', $url), 410, 'DELETED', 'a second later');

done_testing;
