#!/usr/bin/perl

# the API while the store is full, or its records are damaged
use strict;
use warnings;
use File::Path qw(make_path);
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new;


sub call {
    my ($on, $method, $path, %o) = @_;
    return http($on, $method, $path, %o,
        headers => signed_headers($on, $method, $path, %o));
}


sub put {
    my ($on, $name, $bytes) = @_;
    my $r = http($on, 'PUT', presign($on, 'PUT', "/upload/video/$name"),
        body => 'x' x $bytes);
    has_status($r, 200, undef, "the upload $name");
    return $r->{headers}{'reel-asset'};
}


sub home { my ($id) = @_; return 'assets/' . substr($id, -2) . "/$id"; }


for my $part ('result.json', 'meta.json', 'index') {
    my $id = put($t, "damaged-$part", 10);
    spew("$t->{dir}/store/" . home($id) . "/$part", '{"asset":');
    has_status(call($t, 'GET', "/api/assets/$id"), 500, 'STORE_FAILED',
        "a damaged $part") if $part ne 'index';
    is(call($t, 'DELETE', "/api/assets/$id")->{status}, 204,
        "a damaged $part: deleted");
    is_deeply([$t->files(home($id))], [home($id) . '/tombstone'],
        "a damaged $part: all of it");
}

# --- a damaged request.json ----------------------------------------------------
sub delete_of {
    my ($id, @as) = @_;
    return call($t, 'DELETE', "/api/assets/$id", @as);
}
my @theirs = (key => $Reel::KEY2, secret => $Reel::SECRET2);

# it says whose it is still
my $id = put($t, 'half-damaged', 10);
my $request = "$t->{dir}/store/" . home($id) . '/request.json';
spew($request, '{"asset":7,"project":"default"}');
has_status(call($t, 'GET', "/api/assets/$id"), 500, 'STORE_FAILED',
    'a damaged request.json');
has_status(delete_of($id, @theirs), 404, 'NOT_FOUND', "another's");
ok(-e $request, "another's: stands");
has_status(delete_of($id), 204, undef, 'its own: deleted');
is_deeply([$t->files(home($id))], [home($id) . '/tombstone'], 'all of it');

# it says nothing: nobody may, until the operator has said it
for my $bytes ('{"asset":', '', '[]', '{"project":7}') {
    $id = put($t, 'damaged-' . length $bytes, 10);
    $request = "$t->{dir}/store/" . home($id) . '/request.json';
    spew($request, $bytes);
    has_status(delete_of($id, @$_), 500, 'STORE_FAILED', "'$bytes'")
        for [], [ @theirs ];
    ok(-e $request, "'$bytes': stands");
    like($t->log, qr/asset $id is not deleted: .* to the file tombstone /,
        "'$bytes': the log says what to do");
    spew($request =~ s/request.json$/tombstone/r, '{"project":"default"}');
    has_status(call($t, 'GET', "/play/$id/master.m3u8"), 410, 'DELETED',
        "'$bytes': it plays no more");
    has_status(delete_of($id, @theirs), 404, 'NOT_FOUND', "'$bytes': theirs");
    has_status(delete_of($id), 204, undef, "'$bytes': ours");
    is_deeply([$t->files(home($id))], [home($id) . '/tombstone'],
        "'$bytes': all of it");
}

SKIP: {
    my $small = "$t->{dir}/small";

    skip 'a small tmpfs needs root', 15 if $> != 0;
    mkdir $small;
    skip 'tmpfs cannot be mounted here', 15 if system('mount -t tmpfs '
        . "-o size=2m,mode=777 tmpfs $small 2>/dev/null") != 0;

    my $done = eval { full($small); 1 };
    my $err = $@;
    system("umount -l $small");
    die $err if !$done;
}

unlike($t->log, qr/exited on signal/, 'no crash');

done_testing;


sub fill {
    my ($dir) = @_;
    system("head -c 4m /dev/zero >$dir/filler 2>/dev/null");
}


sub full {
    my ($dir) = @_;
    my $on = Reel->new(http => '', conf => "reel_store $dir;
        location /upload/ { reel_upload; } location /api/ { reel_api; }");
    my ($one, $two, $three) = map { put($on, $_, 500) } 1 .. 3;

    fill($dir);
    my $r = call($on, 'PATCH', "/api/assets/$one",
        body => '{"meta":{"title":"a"}}');
    has_status($r, 507, 'InsufficientStorage', 'full: patch');

    is(call($on, 'DELETE', "/api/assets/$one")->{status}, 204,
        'full: delete, at the expense of the source');
    ok(-e "$dir/" . home($one) . '/tombstone', 'full: its tombstone');
    ok(!-e "$dir/" . home($one) . '/request.json', 'full: the rest is gone');

    unlink "$dir/" . home($two) . '/source';
    make_path("$dir/scratch/$two.1");
    system("rm $dir/filler");
    spew("$dir/scratch/$two.1/part", 'x' x 9000);
    fill($dir);
    is(call($on, 'DELETE', "/api/assets/$two")->{status}, 204,
        'full: delete, at the expense of scratch');

    unlink "$dir/" . home($three) . '/source';
    fill($dir);
    has_status(call($on, 'DELETE', "/api/assets/$three"), 507,
        'InsufficientStorage', 'full: nothing to make room of');
    is(json(call($on, 'GET', "/api/assets/$three")->{body})->{status},
        'preparing', 'full: it is not deleted');
    ok(-e "$dir/pending/$three.1", 'full: nor is its job');
}
