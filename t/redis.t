# Redis from nginx: passwords, databases, silence, restarts; nobody waits
# last: a deadline is measured, with slack for a busy machine
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use lib 't/lib';
use Reel;

sub put {
    my ($t, $name) = @_;
    my $begun = time;
    my $r = http($t, 'PUT', presign($t, 'PUT', "/upload/video/$name"),
        body => 'abc');
    return ($r->{headers}{'reel-asset'}, time - $begun);
}

# over TCP, with a password and a database
my $t = Reel->new(redis_dead => 1);
my $d = $t->{dir};
my $tcp = Reel::free_port();
spew("$d/secret", "pass word\n");
spew("$d/redis.conf", "port $tcp\nbind 127.0.0.1\nunixsocket $d/redis.sock\n"
    . "requirepass \"pass word\"\ndir $d\nsave \"\"\ndaemonize yes\n"
    . "pidfile $d/redis.pid\n");
system("redis-server $d/redis.conf >/dev/null") == 0 or die 'no redis';
wait_for(sub { -S "$d/redis.sock" }, 'redis');
my $r = Reel->new(http => "reel_redis 127.0.0.1:$tcp db=3 "
    . "password_file=$d/secret;");
my ($id) = put($r, 'a');
my $asks = sub { $t->redis('-a', 'pass word', '--no-auth-warning', '-n',
    @_) };
wait_for(sub { $asks->(3, 'EXISTS', "reel1:{r0}:job:$id.1") eq '1' },
    'the job');
pass('password and database over TCP');
is($asks->(0, 'DBSIZE'), 0, 'and nowhere else');
unlike($r->log, qr/pass word/, 'the password is not logged');

# the wrong password: nothing waits, the log says why
spew("$d/wrong", 'nope');
my $w = Reel->new(http => "reel_redis unix:$d/redis.sock "
    . "password_file=$d/wrong;");
($id) = put($w, 'w');
ok($id, 'an upload with the wrong password');
wait_for(sub { $w->log =~ /reel: redis: WRONGPASS/ }, 'the log');
pass('the log says so');
unlike($w->log, qr/nope/, 'without the password');
undef $w;

# one that hangs up, as a port for TLS alone does: the log says which
my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1',
    Proto => 'tcp') or die "listen: $!";
my $at = '127.0.0.1:' . $door->sockport;
$w = Reel->new(http => "reel_redis $at;");
put($w, 'y');
close $door->accept;
wait_for(sub { $w->log =~ /reel: redis "\Q$at\E" ended the connection/ },
    'the log');
pass('one that hangs up is named');
close $door;
undef $w;

# a database that is not there: nothing is done in another one
$w = Reel->new(http => "reel_redis unix:$d/redis.sock db=99 "
    . "password_file=$d/secret;");
($id) = put($w, 'x');
ok($id, 'an upload with a database that is not there');
wait_for(sub { $w->log =~ /reel: redis: ERR .*DB index/ }, 'the log');
has_status(http($w, 'GET', presign($w, 'GET', '/api/assets')), 503,
    'REDIS_UNAVAILABLE', 'the list');
is($asks->(0, 'DBSIZE'), 0, 'nothing in database 0');
my $reads = () = $w->log =~ /DB index/g;
has_status(http($w, 'GET', presign($w, 'GET', "/api/assets/$id")), 200, undef,
    'a status without it');
is(scalar(() = $w->log =~ /DB index/g), $reads,
    'it is not asked again at once');
undef $w;
undef $r;

# one that takes connections and says nothing
my $mute = Reel->new(redis_dead => 1, http => 'reel_redis_timeout 1500ms;');
my $l = IO::Socket::UNIX->new(Local => "$mute->{dir}/redis.sock",
    Listen => 5) or die $!;
my ($one, $took) = put($mute, 'm');
ok($one, 'an upload while Redis is silent');
cmp_ok($took, '<', 1.2, 'does not wait for it');
wait_for(sub { $mute->log =~ /did not answer in time/ }, 'the timeout');
sleep 2;
my $begun = time;
my $s = http($mute, 'GET', presign($mute, 'GET', "/api/assets/$one"));
my $waited = time - $begun;
has_status($s, 200, undef, 'a status');
is(json($s->{body})->{progress}{state}, 'unknown', 'without progress');
cmp_ok($waited, '<', 7.5, "waits at most reel_redis_timeout ($waited s)");
$begun = time;
$s = http($mute, 'GET', presign($mute, 'GET', '/api/assets'));
has_status($s, 503, 'REDIS_UNAVAILABLE', 'the list');
cmp_ok(time - $begun, '<', 1.2, 'and the next one does not wait at all');
close $l;

# one that talks nonsense
unlink "$mute->{dir}/redis.sock";
$l = IO::Socket::UNIX->new(Local => "$mute->{dir}/redis.sock",
    Listen => 5) or die $!;
if (!(my $pid = fork)) {
    while (my $c = $l->accept) {
        print $c "HTTP/1.1 400 Bad Request\r\n\r\n";
        close $c;
    }
    exit 0;
} else {
    sleep 2;
    ($one) = put($mute, 'n');
    ok($one, 'an upload while Redis talks nonsense');
    sleep 1;
    kill 'KILL', $pid;
    waitpid $pid, 0;
}
unlike($mute->log, qr/exited on signal/, 'no crash');
undef $mute;

# restarted in between: the next call finds it
my $n = Reel->new(redis => 1, workers => 2);
put($n, 'a');
$n->redis_stop;
$n->redis_start;
($id) = put($n, 'b');
wait_for(sub { $n->redis('EXISTS', "reel1:{r0}:job:$id.1") eq '1' },
    'the job after a restart');
pass('a restart is not felt');

# an exiting worker closes its connection and leaves nothing open
my @old = $n->workers;
$n->reload;
wait_for(sub { !grep { kill 0, $_ } @old }, 'the old workers leave');
unlike($n->log, qr/open socket|\[alert\]/, 'and close what they had');
($id) = put($n, 'c');
wait_for(sub { $n->redis('EXISTS', "reel1:{r0}:job:$id.1") eq '1' },
    'the job of the new worker');
pass('the new worker submits');

# many at once share the one connection
my @socks = map { my $s = IO::Socket::INET->new(
    PeerAddr => "127.0.0.1:$n->{port}"); print $s 'PUT '
    . presign($n, 'PUT', "/upload/video/many$_") . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$n->{port}\r\nContent-Length: 3\r\n"
    . "Connection: close\r\n\r\nabc"; $s } 1 .. 60;
my $ok = 0;
for (@socks) {
    my $in = do { local $/; <$_> };
    $ok++ if $in =~ m{^HTTP/1.1 200 };
}
is($ok, 60, '60 uploads at once');
wait_for(sub { $n->redis('ZCARD', 'reel1:{r0}:jobs') == 63 }, 'their jobs');
cmp_ok($n->redis('CLIENT', 'LIST') =~ tr/\n//, '<=', 4,
    'a connection a worker');

# three shards: none is used that holds another number of them
sub shard {
    my $crc = 0xffffffff;
    for my $byte (unpack 'C*', $_[0]) {
        $crc ^= $byte;
        $crc = $crc >> 1 ^ ($crc & 1 ? 0x82f63b78 : 0) for 1 .. 8;
    }
    return ($crc ^ 0xffffffff) % 3;
}
$n->redis('FLUSHALL');
my $three = Reel->new(http => "reel_redis unix:$n->{dir}/redis.sock "
    . 'shards=3;');
put($three, 'early');
wait_for(sub { $three->log =~ /has 1 shards, reel_redis says 3/ }, 'the log');
pass('Redis does not yet know of three');
is($n->redis('DBSIZE'), 0, 'and nothing is told to it');
$n->redis('MSET', map { ("reel1:{r$_}:shards", 3) } 0 .. 2);
sleep 1;                                # it is not asked again at once
my @films = map { (put($three, "film$_"))[0] } 1 .. 12;
my $lies = sub { my ($f) = @_;
    $n->redis('EXISTS', 'reel1:{r' . shard($f) . "}:job:$f.1") eq '1' };
wait_for(sub { @films == grep { $lies->($_) } @films }, 'their jobs');
pass('each job lies in the shard of its asset');
is(http($three, 'DELETE', presign($three, 'DELETE',
    '/api/assets/' . (my $gone = pop @films)))->{status}, 204, 'deleted');
wait_for(sub { $n->redis('HGET', 'reel1:{r' . shard($gone) . "}:job:$gone.1",
    'v') =~ /^3 cancelled / }, 'its job');
for my $alike (0, 1) {
    my ($cursor, @ids) = ('');
    $n->redis('ZADD', 'reel1:{r' . shard($_) . '}:catalog:default', 'XX',
        1700000000000, $_) for $alike ? @films : ();
    # more of them than are asked for at once
    for my $k ($alike ? 0 .. 2 : ()) {
        $n->redis('ZADD', "reel1:{r$k}:catalog:default", map {
            (1700000000000, sprintf '7zzz%022d', 3 * $_ + $k) } 1 .. 60);
    }
    while (defined $cursor) {
        my $page = json(http($three, 'GET', presign($three, 'GET',
            '/api/assets', query => { limit => $alike ? 20 : 4,
                $cursor ? (cursor => $cursor) : () }))->{body});
        push @ids, map { $_->{id} } @{ $page->{assets} };
        $cursor = $page->{next_cursor};
    }
    is_deeply(\@ids, [ reverse sort @films ], 'listed as one, '
        . ($alike ? 'of one millisecond' : 'newest first'));
}
undef $three;

# of three sentinels one does not know the master, one names a dead one
my @sentinels;
END { kill 'TERM', @sentinels; }
sub sentinel {
    my ($master) = @_;
    my $at = Reel::free_port();
    spew("$d/$at.conf", "port $at\nbind 127.0.0.1\ndir $d\ndaemonize yes\n"
        . "logfile $d/$at.log\npidfile $d/$at.pid\nrequirepass watch-1\n"
        . "user asks on >watch-2 -\@all +sentinel|get-master-addr-by-name\n"
        . ($master
        ? "sentinel monitor films 127.0.0.1 $master 1\n" : ''));
    system("redis-server $d/$at.conf --sentinel >/dev/null") == 0 or die;
    wait_for(sub { -s "$d/$at.pid" && IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$at") }, 'a sentinel');
    push @sentinels, 0 + slurp("$d/$at.pid");
    return "127.0.0.1:$at";
}
my $where = join ' ', sentinel(0), sentinel(1), sentinel($tcp);
spew("$d/watch", "watch-2\n");
$r = Reel->new(http => "reel_redis $where sentinel=films db=3 "
    . "password_file=$d/secret sentinel_user=asks "
    . "sentinel_password_file=$d/watch;");
wait_for(sub {
    ($id) = put($r, 's');
    select undef, undef, undef, 0.3;
    return $asks->(3, 'EXISTS', "reel1:{r0}:job:$id.1") eq '1';
}, 'the job by the third sentinel');
pass('a sentinel that knows nothing, or of old, is followed by the next');
unlike($r->log, qr/no sentinel of redis/, 'in the same round');
unlike($r->log, qr/watch-|pass word/, 'no password is logged');

# they are not asked with the master's password, and without theirs say why
for (['', qr/reel: redis: NOAUTH/], ["sentinel_password_file=$d/wrong",
    qr/reel: redis: WRONGPASS/])
{
    $r = Reel->new(http => "reel_redis $where sentinel=films db=3 "
        . "password_file=$d/secret $_->[0];");
    put($r, 'n');
    wait_for(sub { $r->log =~ $_->[1] && $r->log =~ /no sentinel of redis/ },
        'the log');
    pass('the log says what the sentinels refuse');
    unlike($r->log, qr/pass word|nope/, 'without a password');
}

# what does not know AUTH repeats its arguments
my $deaf = Reel::free_port();
spew("$d/deaf.conf", "port $deaf\nbind 127.0.0.1\ndir $d\nsave \"\"\n"
    . "rename-command AUTH \"\"\ndaemonize yes\npidfile $d/deaf.pid\n");
system("redis-server $d/deaf.conf >/dev/null") == 0 or die 'no redis';
wait_for(sub { -s "$d/deaf.pid" && IO::Socket::INET->new(
    PeerAddr => "127.0.0.1:$deaf") }, 'redis without AUTH');
push @sentinels, 0 + slurp("$d/deaf.pid");
$r = Reel->new(http => "reel_redis 127.0.0.1:$deaf password_file=$d/secret;");
put($r, 'u');
wait_for(sub { $r->log =~ /reel: redis: ERR unknown command 'AUTH'/ },
    'the log');
unlike($r->log, qr/pass word/, 'of an unknown AUTH no password is logged');

done_testing();
