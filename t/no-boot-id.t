# the boot id of the kernel cannot be read: less is kept, but all of it works
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;
use Tus;

my $id = '/proc/sys/kernel/random/boot_id';
my ($how) = grep { !system "$_ sh -c 'mount --bind /dev/null $id' 2>/dev/null" }
    'unshare -m', 'unshare -rm';
plan skip_all => 'no mount namespaces here' if !$how;

my $nginx = $ENV{REEL_NGINX} || 'nginx';
my $wrapper = "/tmp/reel-no-boot-id.$$";
spew($wrapper, "#!/bin/sh\nexec $how sh -c 'mount --bind /dev/null $id && "
    . "exec $nginx \"\$@\"' sh \"\$@\"\n");
chmod 0755, $wrapper;
$ENV{REEL_NGINX} = $wrapper;

my $t = eval { Reel->new(workers => 2) };
my $play = eval { Reel->new(conf => 'location /play/ { reel_play; }') };
unlink $wrapper;
ok($t && $play, 'nginx starts') or diag $@;
like($t->log, qr/boot_id" cannot be read/, 'and says what is missing');
unlike($play->log, qr/boot_id/, 'where it matters');

has_status(http($t, 'PUT', presign($t, 'PUT', '/upload/video/a'),
    body => 'abc'), 200, undef, 'PutObject');
my $url = create($t, 6);
has_status(patch($t, $url, 0, 'abc'), 204, undef, 'some bytes');
is(offset($t, $url), 3, 'acknowledged is kept');
kill 'KILL', $t->workers;
wait_for(sub { defined eval { offset($t, $url) } }, 'new workers');
is(offset($t, $url), 3, 'over the death of a worker too');
my $r = patch($t, $url, 3, 'def');
has_status($r, 204, undef, 'the rest');
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcdef', 'the bytes');

done_testing();
