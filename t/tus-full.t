# tus on a medium that gets full in the midst of an upload
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use lib 't/lib';
use Reel;
use Tus;

plan skip_all => 'a small tmpfs needs root' if $> != 0;

my $t = Reel->new(idle => 1);
my $store = "$t->{dir}/store";
plan skip_all => 'tmpfs cannot be mounted here' if system('mount -t tmpfs '
    . "-o size=8m,mode=777 tmpfs $store 2>/dev/null") != 0;

my $body = join '', map { pack('N', $_) x 1000 } 1 .. 4000;

sub full {
    $t->nginx_start;

    my $r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'),
        headers => { 'Upload-Length' => length $body });
    has_status($r, 507, 'InsufficientStorage', 'known at creation');
    is_deeply([ $t->files('uploads') ], [], 'nothing stays');

    my $url = create($t, undef, headers => { 'Upload-Defer-Length' => 1 });
    has_status(patch($t, $url, 0, substr $body, 0, 1_000_000), 204, undef,
        'some bytes');
    $r = patch($t, $url, 1_000_000, substr $body, 1_000_000);
    has_status($r, 507, 'InsufficientStorage', 'full in the midst');
    my $at = offset($t, $url);
    cmp_ok($at, '>=', 1_000_000, 'what was acknowledged is kept');
    cmp_ok($at, '<', 8 << 20, 'as much as there is room');
    has_status(patch($t, $url, $at, substr($body, $at),
        'Upload-Length' => length $body), 507, 'InsufficientStorage',
        'the length, and still no room for it');
    is(offset($t, $url), $at, 'nothing changed');

    system("mount -o remount,size=64m $store") == 0 or die 'remount';
    $r = patch($t, $url, $at, substr($body, $at),
        'Upload-Length' => length $body);
    has_status($r, 204, undef, 'there is room');
    is(sha256_hex(slurp(asset_source($t, $r->{headers}{'reel-asset'}))),
        sha256_hex($body), 'every byte is where it belongs');
    $t->nginx_stop;
}

my $done = eval { full(); 1 };
my $err = $@;
$t->nginx_stop;
system("umount -l $store");
die $err if !$done;

done_testing();
