package Reel;

# The harness of t/: a private nginx with the module (and redis-server when
# asked) below a temporary folder, SigV4 signing, and small HTTP helpers.
# Core Perl only.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex hmac_sha256 hmac_sha256_hex);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(strftime);
use Scalar::Util qw(weaken);
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(http raw presign signed_headers jwt has_status has_header
    wait_for slurp spew json);

our $TOP = abs_path(dirname(__FILE__) . '/../..');
our $KEY = 'REELTESTKEY';
our $SECRET = 'test-secret-of-the-suite-0123456789';

# nginxes that live, and what sanitizers said in those that are gone
my (@alive, @reports);

# a second key of another project
our $KEY2 = 'REELOTHERKEY';
our $SECRET2 = 'other-secret-of-the-suite-0123456789';

# of master.json, for reel_master_keys
our $MASTER = '0123456789abcdef' x 4;


# conf: the text inside server { }; main, http: more at those levels;
# redis => 1 starts one; idle => 1 does not start nginx; workers => n;
# zone => 0 leaves reel_zone out; keys => [ more access keys ]
sub new {
    my ($class, %o) = @_;
    my $dir = tempdir('reel-t-XXXXXX', DIR => '/tmp', CLEANUP => 0);
    my $self = bless { dir => $dir, port => free_port(), o => \%o }, $class;

    push @alive, $self;
    weaken($alive[-1]);
    chmod 0755, $dir;
    make_path("$dir/store", "$dir/tmp");
    chmod 0777, "$dir/store";
    spew("$dir/keys.json", encode_json({ access_keys => [
        { id => $KEY, secret => $SECRET, project => 'default',
          buckets => ['video', 'second'] },
        { id => $KEY2, secret => $SECRET2, project => 'other',
          buckets => ['theirs'] }, @{ $o{keys} || [] } ] }));
    spew("$dir/master.json", encode_json({ master_keys => [
        { id => 0, key => $MASTER } ] }));
    chmod 0600, "$dir/keys.json", "$dir/master.json";

    $self->redis_start if $o{redis};
    $self->nginx_start if !$o{idle};
    return $self;
}


# Several tests run at once: a port that the kernel gives could be that of
# another's connection a moment later, so ours are below what it gives.
sub free_port {
    for (1 .. 100) {
        my $port = 10240 + int rand 20480;
        my $s = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
            LocalAddr => "127.0.0.1:$port");
        return $port if $s;
    }
    die "no port: $!";
}


sub config {
    my ($self) = @_;
    my $o = $self->{o};
    my $d = $self->{dir};
    my $module = $ENV{REEL_MODULE} || "$TOP/build/ngx_http_reel_module.so";
    my $zone = ($o->{zone} // 1) ? 'reel_zone indexes:8m;' : '';
    my $redis = $o->{redis} || $o->{redis_dead}
        ? "reel_redis unix:$d/redis.sock;" : '';
    my $server = $o->{conf} // '
        location /upload/ { reel_upload; }
        location /api/    { reel_api; }
        location /play/   { reel_play; }';
    my $user = $> == 0 ? 'user root;' : '';
    my $workers = $o->{workers} // 1;
    my $main = $o->{main} // '';
    my $http = $o->{http} // '';

    return <<"EOF";
$user
load_module $module;
worker_processes $workers;
pid $d/nginx.pid;
error_log $d/error.log info;
$main
events { }
http {
    access_log off;
    client_body_temp_path $d/tmp/body;
    proxy_temp_path $d/tmp/proxy;
    fastcgi_temp_path $d/tmp/fastcgi;
    uwsgi_temp_path $d/tmp/uwsgi;
    scgi_temp_path $d/tmp/scgi;
    sendfile on;
    aio threads;
    reel_store $d/store;
    reel_access_keys $d/keys.json;
    $zone
    $redis
    $http
    server {
        listen 127.0.0.1:$self->{port};
        $server
    }
}
EOF
}


sub nginx_start {
    my ($self) = @_;
    my $d = $self->{dir};

    spew("$d/nginx.conf", $self->config);
    my @nginx = ($ENV{REEL_NGINX} || 'nginx', '-e', "$d/error.log",
        '-c', "$d/nginx.conf");
    my %env = $self->nginx_env;
    local @ENV{keys %env} = values %env;
    system(@nginx) == 0 or die join '', 'nginx did not start: ',
        slurp("$d/error.log"), $self->sanitizers_said;
    wait_for(sub { -s "$d/nginx.pid" && IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$self->{port}") }, 'nginx listens');
}


# With the module built by SAN=1, REEL_PRELOAD is the address sanitizer's
# library: Debian's nginx is not linked with it.  Leaks are not looked for:
# nginx frees pools, not what lies in them.
sub nginx_env {
    my ($self) = @_;
    return () if !$ENV{REEL_PRELOAD};
    return (LD_PRELOAD => $ENV{REEL_PRELOAD},
        ASAN_OPTIONS => 'detect_leaks=0:detect_stack_use_after_return=1:'
            . "strict_string_checks=1:log_path=$self->{dir}/san");
}


# What they reported: ASan in files, one a process; UBSan on stderr, which is
# the error log (it looks for its options when nginx has overwritten them).
sub sanitizers_said {
    my ($self) = @_;
    my $log = "$self->{dir}/error.log";
    return ((map { slurp($_) } sort glob "$self->{dir}/san.*"),
        -e $log ? slurp($log) =~ /^.*: runtime error: .*$/mg : ());
}


sub nginx_pid { my ($self) = @_; return 0 + slurp("$self->{dir}/nginx.pid"); }


# all of them: the port is open before they are there
sub workers {
    my ($self) = @_;
    my $pid = $self->nginx_pid;
    my @workers;
    wait_for(sub { @workers = split ' ', `pgrep -P $pid`;
        @workers >= ($self->{o}{workers} // 1) }, 'workers');
    return @workers;
}


sub reload { my ($self) = @_; kill 'HUP', $self->nginx_pid; }


sub nginx_stop {
    my ($self) = @_;
    return if !-s "$self->{dir}/nginx.pid";
    my $pid = $self->nginx_pid;
    kill 'TERM', $pid;
    wait_for(sub { !kill 0, $pid }, 'nginx stops');
}


sub redis_start {
    my ($self) = @_;
    my $d = $self->{dir};
    system("redis-server --port 0 --unixsocket $d/redis.sock "
        . "--unixsocketperm 777 --dir $d --save '' --appendonly yes "
        . "--daemonize yes --pidfile $d/redis.pid >/dev/null") == 0
        or die 'redis-server did not start';
    wait_for(sub { IO::Socket::UNIX->new(Peer => "$d/redis.sock") },
        'redis listens');
}


sub redis_stop {
    my ($self) = @_;
    return if !-s "$self->{dir}/redis.pid";
    my $pid = 0 + slurp("$self->{dir}/redis.pid");
    kill 'TERM', $pid;
    wait_for(sub { !kill 0, $pid }, 'redis stops');
}


# redis-cli's answer, without its last newline
sub redis {
    my ($self, @args) = @_;
    open my $p, '-|', 'redis-cli', '-s', "$self->{dir}/redis.sock", @args
        or die $!;
    local $/;
    my $out = <$p> // '';
    $out =~ s/\n\z//;
    return $out;
}


sub log { my ($self) = @_; return slurp("$self->{dir}/error.log"); }


# every file below store/, relative
sub files {
    my ($self, $below) = @_;
    $below //= '';
    my $root = "$self->{dir}/store";
    return () if !-d "$root/$below";
    return map { chomp; s/^\Q$root\E\///; $_ }
        sort `find $root/$below -type f`;
}


sub DESTROY {
    my ($self) = @_;
    local ($?, $@);
    $self->nginx_stop;
    $self->redis_stop;
    push @reports, $self->sanitizers_said;
    system('rm', '-rf', $self->{dir}) if !$ENV{REEL_KEEP};
}


# before Test::More's own END: a report fails the .t that caused it
END {
    $_->nginx_stop, push @reports, $_->sanitizers_said
        for grep { defined } @alive;
    if (@reports) {
        fail('the sanitizers have nothing to say');
        diag($_) for @reports;
    }
}


# --- HTTP --------------------------------------------------------------------

# sends bytes, returns all that comes until the server closes (or secs)
sub raw {
    my ($self, $bytes, %o) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}",
        Timeout => 10) or die "connect: $!";
    local $SIG{PIPE} = 'IGNORE';
    local $SIG{ALRM} = sub { die "no answer in time\n" };
    alarm($o{secs} // 60);
    my $off = 0;
    while ($off < length $bytes) {
        my $n = syswrite($s, $bytes, 65536, $off);
        last if !defined $n;
        $off += $n;
    }
    if ($o{cut}) {
        alarm 0;
        close $s;
        return '';
    }
    my $in = '';
    while (1) {
        my $n = sysread($s, my $buf, 65536);
        last if !$n;
        $in .= $buf;
    }
    alarm 0;
    return $in;
}


# http($t, METHOD, target, headers => {}, body => ''):
# { status, headers => { lower-case }, body, raw }
sub http {
    my ($self, $method, $target, %o) = @_;
    my %h = (Host => "127.0.0.1:$self->{port}", Connection => 'close',
        %{ $o{headers} || {} });
    $h{'Content-Length'} = length $o{body}
        if defined $o{body} && !$h{'Transfer-Encoding'};
    my $req = "$method $target HTTP/1.1\r\n"
        . join('', map { "$_: $h{$_}\r\n" } sort grep { defined $h{$_} }
            keys %h) . "\r\n" . ($o{body} // '');
    my $raw = raw($self, $req, %o);
    $raw =~ s/^HTTP\/1.1 100 Continue\r\n\r\n//;
    my ($head, $body) = split /\r\n\r\n/, $raw, 2;
    my ($line, @lines) = split /\r\n/, $head // '';
    my %r;
    for (@lines) {
        my ($k, $v) = split /:\s*/, $_, 2;
        $r{lc $k} = $v;
    }
    my ($status) = ($line // '') =~ m{^HTTP/1\.\d (\d+)};
    $body //= '';
    if (($r{'transfer-encoding'} // '') eq 'chunked') {
        my ($in, $out) = ($body, '');
        while ($in =~ s/^([0-9a-f]+)\r\n//i) {
            my $n = hex $1;
            last if !$n;
            $out .= substr $in, 0, $n, '';
            $in =~ s/^\r\n//;
        }
        $body = $out;
    }
    return { status => $status // 0, headers => \%r, body => $body,
        raw => $raw };
}


sub has_status {
    my ($r, $status, $code, $name) = @_;
    is($r->{status}, $status, "$name: status") or diag $r->{raw};
    if (defined $code) {
        like($r->{body}, $r->{body} =~ /^</ ? qr{<Code>\Q$code\E</Code>}
            : qr{"code":"\Q$code\E"}, "$name: code $code");
    }
}


sub has_header {
    my ($r, $header, $like, $name) = @_;
    like($r->{headers}{lc $header} // '(none)', $like,
        "$name: $header");
}


# --- signing -----------------------------------------------------------------

sub uri { my ($s) = @_; $s =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    return $s; }


sub _key {
    my ($secret, $date, $region) = @_;
    my $k = hmac_sha256($date, "AWS4$secret");
    $k = hmac_sha256($_, $k) for $region, 's3', 'aws4_request';
    return $k;
}


# the target of a presigned request; query => { reel-… }, expires, time, key,
# secret, payload
sub presign {
    my ($self, $method, $path, %o) = @_;
    my $time = $o{time} // int time;
    my $stamp = strftime('%Y%m%dT%H%M%SZ', gmtime $time);
    my $date = substr $stamp, 0, 8;
    my $scope = "$date/us-east-1/s3/aws4_request";
    my %q = (%{ $o{query} || {} },
        'X-Amz-Algorithm' => 'AWS4-HMAC-SHA256',
        'X-Amz-Credential' => ($o{key} // $KEY) . "/$scope",
        'X-Amz-Date' => $stamp,
        'X-Amz-Expires' => $o{expires} // 600,
        'X-Amz-SignedHeaders' => 'host');
    $q{'X-Amz-Content-Sha256'} = $o{payload} if $o{payload};
    my $query = join '&', map { uri($_) . '=' . uri($q{$_}) } sort keys %q;
    my $creq = join "\n", $method, $path, $query,
        "host:127.0.0.1:$self->{port}", '', 'host',
        $o{payload} // 'UNSIGNED-PAYLOAD';
    my $sts = join "\n", 'AWS4-HMAC-SHA256', $stamp, $scope,
        sha256_hex($creq);
    return "$path?$query&X-Amz-Signature=" . hmac_sha256_hex($sts,
        _key($o{secret} // $SECRET, $date, 'us-east-1'));
}


# headers that sign a request in the Authorization header; sign => { more }
sub signed_headers {
    my ($self, $method, $path, %o) = @_;
    my $time = $o{time} // int time;
    my $stamp = strftime('%Y%m%dT%H%M%SZ', gmtime $time);
    my $date = substr $stamp, 0, 8;
    my $scope = "$date/us-east-1/s3/aws4_request";
    my $payload = $o{payload} // 'UNSIGNED-PAYLOAD';
    my ($p, $q) = split /\?/, $path, 2;
    my $query = join '&', sort map { /=/ ? $_ : "$_=" } split /&/, $q // '';
    my %h = (%{ $o{sign} || {} }, 'x-amz-date' => $stamp,
        'x-amz-content-sha256' => $payload);
    my %signed = (%h, host => "127.0.0.1:$self->{port}");
    my $names = join ';', sort keys %signed;
    my $creq = join "\n", $method, $p, $query,
        (map { "$_:$signed{$_}" } sort keys %signed), '', $names, $payload;
    my $sts = join "\n", 'AWS4-HMAC-SHA256', $stamp, $scope,
        sha256_hex($creq);
    my $sig = hmac_sha256_hex($sts,
        _key($o{secret} // $SECRET, $date, 'us-east-1'));
    my $key = $o{key} // $KEY;
    return { %h,
        Authorization => "AWS4-HMAC-SHA256 Credential=$key/$scope, "
            . "SignedHeaders=$names, Signature=$sig" };
}


sub jwt {
    my (%o) = @_;
    my $b64 = sub { my $s = MIME::Base64::encode_base64($_[0], '');
        $s =~ tr{+/}{-_}; $s =~ s/=+$//; $s };
    require MIME::Base64;
    my $head = encode_json({ alg => $o{alg} // 'HS256', typ => 'JWT',
        kid => $o{kid} // $KEY });
    my $body = encode_json({ aud => $o{aud} // 'reel-api',
        exp => $o{exp} // int(time) + 600 });
    my $in = $b64->($head) . '.' . $b64->($body);
    return "$in." . $b64->(hmac_sha256($in, $o{secret} // $SECRET));
}


# --- small things -----------------------------------------------------------

sub wait_for {
    my ($cond, $what, $secs) = @_;
    my $end = time + ($secs // 20);
    while (time < $end) {
        my $r = $cond->();
        return $r if $r;
        sleep 0.05;
    }
    die "waited in vain: $what\n";
}

sub json { return decode_json($_[0]); }

sub slurp {
    my ($file) = @_;
    open my $f, '<:raw', $file or die "$file: $!";
    local $/;
    return scalar <$f>;
}

sub spew {
    my ($file, $text) = @_;
    open my $f, '>:raw', $file or die "$file: $!";
    print $f $text;
    close $f or die "$file: $!";
}

1;
