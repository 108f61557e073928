# server-sent events: at each change, a comment in between, an end
use strict;
use warnings;
use IO::Select;
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(redis => 1);

sub put {
    my ($name) = @_;
    my $r = http($t, 'PUT', presign($t, 'PUT', "/upload/video/$name"),
        body => 'abc');
    return $r->{headers}{'reel-asset'};
}

# a stream: what came so far is in $$buf
sub open_stream {
    my ($id) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}")
        or die $!;
    my $target = presign($t, 'GET', "/api/assets/$id/events");
    print $s "GET $target HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n\r\n";
    my $text = '';
    return { s => $s, text => \$text, ended => 0 };
}

# reads until the text matches or secs are over
sub until_like {
    my ($st, $re, $secs, $name) = @_;
    my $end = time + $secs;
    my $sel = IO::Select->new($st->{s});
    while (${ $st->{text} } !~ $re && time < $end && !$st->{ended}) {
        next if !$sel->can_read(0.2);
        my $n = sysread $st->{s}, my $buf, 65536;
        $st->{ended} = 1 if !$n;
        ${ $st->{text} } .= $buf if $n;
    }
    like(${ $st->{text} }, $re, $name);
}

sub events { my ($st) = @_; return scalar(() = ${ $st->{text} }
    =~ /^event: asset$/mg); }

my $id = put('a');
wait_for(sub { $t->redis('EXISTS', "reel1:{r0}:progress:$id.1") eq '1' },
    'the job is queued');

my $st = open_stream($id);
until_like($st, qr/"status":"preparing".*"state":"queued"/, 5, 'at once');
like(${ $st->{text} }, qr{^Content-Type: text/event-stream\r$}m, 'its type');
like(${ $st->{text} }, qr{^Cache-Control: no-cache\r$}m, 'not cached');
sleep 2;
until_like($st, qr/x/, 0, 'it stays open') if $st->{ended};
is(events($st), 1, 'no event without a change');

$t->redis('HSET', "reel1:{r0}:progress:$id.1", 'state', 'transcoding',
    'percent', '40', 'total:v240', '2000', 'done:v240', '1000',
    'total', '4000', 'done', '1600',
    'begun', int((time - 2000) * 1000));
until_like($st, qr/"percent":40,"eta":3100,"renditions":\{"v240":50\}/, 5,
    'progress as Redis tells it, and what is left at that pace');
is(events($st), 2, 'one event for it');

# nothing moves but the time
$t->redis('HSET', "reel1:{r0}:progress:$id.1", 'done', '2000',
    'begun', int((time - 100) * 1000));
until_like($st, qr/"eta":(1\d\d),.*"eta":(?!\1,)1\d\d,/s, 30,
    'of one that is quiet it grows');

for (['done', 79], ['done', 4001], ['state', 'errored']) {
    my @was = ('state', 'transcoding', 'done', '2000', 'begun', '1');
    $t->redis('HSET', "reel1:{r0}:progress:$id.1", @was, @$_);
    my $r = http($t, 'GET', presign($t, 'GET', "/api/assets/$id"));
    unlike($r->{body}, qr/"eta"/, "none is told: $_->[0] $_->[1]");
    $t->redis('HSET', "reel1:{r0}:progress:$id.1", @was);
    $r = http($t, 'GET', presign($t, 'GET', "/api/assets/$id"));
    like($r->{body}, qr/"eta":\d/, 'and one is');
}

$t->redis_stop;
until_like($st, qr/"state":"unknown"/, 5, 'Redis stopped: unknown');
$t->redis_start;
until_like($st, qr/"state":"unknown".*"percent":40/s, 8, 'and back');

until_like($st, qr/^:\n\n/m, 17, 'a comment while nothing changes');

# an exiting worker ends its streams
my @old = $t->workers;
$t->reload;
until_like($st, qr/\r\n0\r\n\r\n\z/, 5, 'a reload ends it politely');
wait_for(sub { !grep { kill 0, $_ } @old }, 'the old worker leaves');
pass('the old worker leaves');

$st = open_stream($id);
until_like($st, qr/"status":"preparing"/, 5, 'a new stream');
my $home = "$t->{dir}/store/assets/" . substr($id, -2) . "/$id";
spew_result($home, $id);
unlink "$t->{dir}/store/pending/$id.1";
until_like($st, qr/"status":"errored".*\r\n0\r\n\r\n\z/s, 6,
    'the final state ends it');

# clients that go away, in every phase, are forgotten
my $other = put('b');
for my $ms (0, 1, 5, 20, 100, 500, 1000, 2100) {
    my $gone = open_stream($other);
    select undef, undef, undef, $ms / 1000;
    close $gone->{s};
}
sleep 3;
is(scalar(grep { /exited on signal/ } split /\n/, $t->log), 0, 'no crash');
my $r = http($t, 'GET', presign($t, 'GET', "/api/assets/$other"));
has_status($r, 200, undef, 'the worker goes on');

# deleted while it is watched
$st = open_stream($other);
until_like($st, qr/"status":"preparing"/, 5, 'watched');
http($t, 'DELETE', presign($t, 'DELETE', "/api/assets/$other"));
until_like($st, qr/"status":"deleted".*\r\n0\r\n\r\n\z/s, 6,
    'a deletion ends it');

unlike($t->log, qr/open socket|alert/, 'nothing is left open');

done_testing();


sub spew_result {
    my ($dir, $asset) = @_;
    Reel::spew("$dir/result.json", '{"asset":"' . $asset . '",'
        . '"publication":1,"ready":false,"completed_ms":1,"duration_ms":0,'
        . '"renditions":[],"code":"NOT_A_VIDEO","stage":"inspect",'
        . '"detail":"no","log":"","retryable":false}');
}
