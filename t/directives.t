#!/usr/bin/perl

# What each directive refuses, by a message that names it and nothing secret;
# and what the variables say in a log.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Conf;
use Reel;
use Test::More;

my $t = Conf->new;
my $d = $t->{dir};

spew("$d/file", 'a file');
spew("$d/empty", '');
spew("$d/long", 'x' x 4096);

my %keys = (
    'not-json' => '{"access_keys":[{"id":"A","secret":"TOPSECRET"',
    'no-list' => '{"access_keys":{"id":"A","secret":"TOPSECRET"}}',
    'no-id' => '{"access_keys":[{"secret":"TOPSECRET0123456789",'
        . '"project":"p","buckets":["b"]}]}',
    'no-buckets' => '{"access_keys":[{"id":"A","secret":'
        . '"TOPSECRET0123456789","project":"p","buckets":[]}]}',
    'tokens-short' => '{"keys":[{"kid":"x","kty":"oct",'
        . '"k":"VE9QU0VDUkVU"}]}',
    'tokens' => '{"keys":[{"kid":"x","kty":"oct","k":"' . 'A' x 43 . '"}]}',
    'twice' => '{"access_keys":[' . join(',',
        ('{"id":"AKEY","secret":"TOPSECRET0123456789",'
        . '"project":"p","buckets":["b"]}') x 2) . ']}',
);
spew("$d/$_.json", $keys{$_}) for keys %keys;
spew("$d/large.json", ' ' x (1024 * 1024 + 1));
chmod 0600, glob "$d/*.json";

my %base = (reel_store => "$d/store", reel_access_keys => "$d/keys.json",
    reel_zone => 'indexes:1m');


# nginx -t of a server with the lines at both levels; base ones that are
# named in http or in without are left out
sub try_conf {
    my ($http, $server, @without) = @_;
    my %have = %base;
    delete @have{@without, $http =~ /\b(reel_\w+)/g};
    my $lines = join "\n", map { "$_ $have{$_};" } sort keys %have;
    return $t->check("load_module @{[ Conf::module() ]};\n"
        . "pid $d/nginx.pid;\nevents { }\nhttp {\n" . $t->own_paths
        . "$lines\n$http\nserver {\nlisten 127.0.0.1:$t->{port};\n"
        . "$server\n}\n}\n");
}

my $in = 'location / { %s }';
# each a SECRET that must not be told
my $key = 'SECRET' . '0' x 58;
my %master = (
    json => "{\"master_keys\": [$key",
    none => '{"master_keys": []}',
    id => '{"master_keys": [{"id": -1, "key": "' . '0' x 64 . '"}]}',
    twice => '{"master_keys": [' . join(',', ('{"id": 1, "key": "' . '0' x 64
        . '"}') x 2) . ']}',
    key => "{\"master_keys\": [{\"id\": 1, \"key\": \"$key\"}]}",
);
spew("$d/master-$_.json", $master{$_}) for keys %master;
spew("$d/master.json", '{"master_keys": [{"id": 0, "key": "' . '0' x 64
    . '"}]}');

my @refused = (
    # http lines, server lines, what the message says, base lines left out
    ['reel_store store;', '', qr/"reel_store" .*absolute path/],
    ["reel_store $d/none;", '', qr/reel_store "\Q$d\E\/none"/],
    ["reel_store $d/file;", '', qr/reel_store "\Q$d\E\/file"/],
    ["reel_store $d/store; reel_store $d/store;", '',
        qr/"reel_store" .*duplicate/],
    ['reel_store;', '', qr/arguments in "reel_store"/],
    ['reel_zone indexes;', '', qr/"reel_zone" .*name:size/],
    ['reel_zone :1m;', '', qr/"reel_zone" .*name:size/],
    ['reel_zone indexes:;', '', qr/"reel_zone" .*at least 256k/],
    ['reel_zone indexes:1x;', '', qr/"reel_zone" .*at least 256k/],
    ['reel_zone indexes:128k;', '', qr/"reel_zone" .*at least 256k/],
    ['reel_zone a:1m; reel_zone b:1m;', '', qr/"reel_zone" .*duplicate/],
    ['', 'reel_zone a:1m;', qr/"reel_zone" directive is not allowed/],
    ["reel_access_keys $d/none.json;", '',
        qr/reel_access_keys: .*none\.json.*No such file/],
    ["reel_access_keys $d/large.json;", '',
        qr/reel_access_keys .*large\.json" is larger than 1m/],
    ["reel_access_keys $d/keys.json; reel_access_keys $d/keys.json;", '',
        qr/"reel_access_keys" .*duplicate/],
    (map { ["reel_access_keys $d/$_.json;", '',
        qr/reel_access_keys "\Q$d\/$_\E\.json": \S/] } sort keys %keys),
    ["reel_redis unix:$d/r db=one;", '',
        qr/reel_redis parameter "db"/],
    ["reel_redis unix:$d/r db=-1;", '', qr/reel_redis parameter "db"/],
    ["reel_redis unix:$d/r usr=me;", '', qr/reel_redis parameter "usr"/],
    ["reel_redis unix:$d/r user=me;", '', qr/a user, but no password_file/],
    ["reel_redis 127.0.0.1:1 sentinel=m sentinel_user=me;", '',
        qr/a sentinel_user, but no sentinel_password_file/],
    ["reel_redis 127.0.0.1:1 sentinel_password_file=$d/file;", '',
        qr/a sentinel_password_file, but no sentinel/],
    ["reel_redis 127.0.0.1:1 sentinel=m sentinel_password_file=$d/none;", '',
        qr/reel_redis: .*No such file/],
    ["reel_redis db=1;", '', qr/has no address/],
    ["reel_redis unix:$d/r password=TOPSECRET;", '',
        qr/reel_redis parameter "password"/],
    ["reel_redis unix:$d/r password_file=$d/none;", '',
        qr/reel_redis: .*No such file/],
    ["reel_redis unix:$d/r password_file=$d/empty;", '',
        qr/reel_redis password_file .*empty/],
    ["reel_redis unix:$d/r password_file=$d/long;", '',
        qr/reel_redis password_file .*too long/],
    ['reel_redis 127.0.0.1:99999;', '', qr/reel_redis .*invalid port/],
    ['reel_redis unix:;', '', qr/reel_redis /],
    ["reel_redis off; reel_redis unix:$d/r;", '',
        qr/"reel_redis" .*duplicate/],
    ['reel_redis;', '', qr/arguments in "reel_redis"/],
    ['reel_redis_timeout soon;', '', qr/"reel_redis_timeout" .*invalid/],
    # nginx's own: the pool could be defined further down
    ['reel_thread_pool nosuch;', sprintf($in, 'reel_play;'),
        qr/unknown thread pool "nosuch"/],
    ['reel_upload_min_free 1x;', '', qr/"reel_upload_min_free" .*invalid/],
    ['reel_upload_max_size big;', '', qr/"reel_upload_max_size" .*invalid/],
    ['reel_upload_max_size -1;', '', qr/"reel_upload_max_size" .*invalid/],
    ['reel_upload_expires soon;', '',
        qr/"reel_upload_expires" .*invalid/],
    ['reel_upload_buffer 1q;', '', qr/"reel_upload_buffer" .*invalid/],
    ['reel_upload_buffer 0;', '', qr/"reel_upload_buffer" .*at least 4k/],
    ['reel_upload_buffer 4095;', '', qr/"reel_upload_buffer" .*at least 4k/],
    ['reel_pipelines;', '', qr/arguments in "reel_pipelines"/],
    ['reel_pipelines default Fast;', '', qr/reel_pipelines: .*"Fast"/],
    ['reel_pipelines ../x;', '', qr/reel_pipelines: .*"\.\.\/x"/],
    ['reel_pipelines ' . 'a' x 33 . ';', '', qr/reel_pipelines: .*"a{33}"/],
    ['reel_pipelines a; reel_pipelines b;', '',
        qr/"reel_pipelines" .*duplicate/],
    ['reel_api_upload_path upload/;', '',
        qr/"reel_api_upload_path" .*slash/],
    ['reel_api_upload_path /upload;', '',
        qr/"reel_api_upload_path" .*slash/],
    ['reel_api_play_path "";', '', qr/"reel_api_play_path" .*slash/],
    ['reel_api_play_path play;', '', qr/"reel_api_play_path" .*slash/],
    (map { [qq(reel_files_map $_;), '', qr/"reel_files_map" .*is none of/] }
        '""', 'on', 'map/', '/map'),
    (map { [qq(reel_files_pattern "$_";), '',
        qr/"reel_files_pattern" .*not of the form/] } '', '*.mp4', '{}*.mp4',
        '{}_*', '/{}_*.mp4', '../{}_*.mp4', '{}_*_*.mp4'),
    ['reel_dash_segments list;', '',
        qr/invalid value "list"/],
    ['reel_manifest_cache yes;', '', qr/"reel_manifest_cache" .*"on" or "off"/],
    ['reel_upload_sync on;', '', qr/invalid value "on"/],
    ['reel_upload_interim 104;', '',
        qr/"reel_upload_interim" .*"on" or "off"/],
    ['', 'location /f/ { reel_play_files; reel_play_upstream films; }',
        qr/"reel_play_upstream" .*slash/],
    ['reel_play_source maybe;', '', qr/"reel_play_source" .*"on" or "off"/],
    ['reel_vod_compat hls;', '', qr/"reel_vod_compat" .*"on" or "off"/],
    ['reel_manifest_gzip 6;', '', qr/"reel_manifest_gzip" .*"on" or "off"/],
    ['reel_hls_segments mpegts;', '', qr/invalid value "mpegts"/],
    ['reel_hls_segments ts; reel_hls_segments cmaf;', '',
        qr/"reel_hls_segments" .*duplicate/],
    ['reel_token maybe;', '', qr/invalid value "maybe"/],
    ['', sprintf($in, 'reel_token required;'), qr/needs "reel_token_keys"/],
    ["reel_token_keys $d/tokens.json; reel_token required;", 'location ~ x { }',
        qr/"reel_token" .*needs "reel_token_below"/],
    ["reel_token_keys $d/none.json;", '',
        qr/reel_token_keys: .*none\.json.*No such file/],
    ["reel_token_keys $d/not-json.json;", '',
        qr/reel_token_keys "\Q$d\E\/not-json\.json": .*not JSON/],
    ["reel_token_keys $d/tokens-short.json;", '', qr/keys\[0\]\.k must have/],
    ["reel_token_keys $d/tokens.json; reel_token_keys $d/tokens.json;", '',
        qr/"reel_token_keys" .*duplicate/],
    ['reel_token_from head;', '', qr/reel_token_from: "head" must be path/],
    ['reel_token_from path=x;', '', qr/reel_token_from: "path=x" must be/],
    ['reel_token_from "query=a&b";', '', qr/reel_token_from: .* must be/],
    ['reel_token_from path; reel_token_from path;', '',
        qr/"reel_token_from" .*duplicate/],
    ['reel_token_audience a; reel_token_audience a;', '',
        qr/"reel_token_audience" .*duplicate/],
    ['reel_token_country $nothing;', '', qr/unknown "nothing" variable/],
    ['reel_token_below x;', '', qr/"reel_token_below" .*slash at both ends/],
    ['reel_token_grace soon;', '', qr/"reel_token_grace" .*invalid/],
    ['reel_encryption drm;', '', qr/invalid value "drm"/],
    ['', sprintf($in, 'reel_play; reel_encryption cenc;'),
        qr/"reel_encryption" needs "reel_master_keys"/],
    ['reel_key_server k;', '', qr/"reel_key_server" .*URI of a location/],
    ['reel_key_server /k fresh=x;', '', qr/reel_key_server: "fresh=x"/],
    ['reel_key_server /k valid=0;', '', qr/reel_key_server: "valid=0"/],
    ['reel_key_server /k keep=1h;', '', qr/reel_key_server: "keep=1h"/],
    ['reel_key_server /k fresh=2h valid=1h;', '',
        qr/"reel_key_server" .*valid for less/],
    ['reel_key_server /k; reel_key_server /k;', '',
        qr/"reel_key_server" .*duplicate/],
    ['reel_key_server /k; reel_encryption cbcs;', sprintf($in, 'reel_play;'),
        qr/"reel_key_server" needs "reel_zone"/, 'reel_zone'],
    ["reel_master_keys $d/master.json;", sprintf($in, 'reel_play; '
        . 'reel_encryption cenc; reel_hls_segments ts;'),
        qr/"reel_encryption cenc" is not for transport streams/],
    ["reel_master_keys $d/master.json;", sprintf($in, 'reel_play; '
        . 'reel_encryption aes-128; reel_key_delivery off;'),
        qr/needs "reel_key_uri"/],
    ["reel_master_keys $d/master.json;", sprintf($in, 'reel_play; '
        . 'reel_encryption cbcs; reel_key_delivery off; reel_hls_segments ts;'),
        qr/needs "reel_key_uri"/],
    ["reel_master_keys $d/none.json;", '',
        qr/reel_master_keys: .*none\.json.*No such file/],
    (map { ["reel_master_keys $d/master-$_.json;", '',
        qr/reel_master_keys "\Q$d\E\/master-$_\.json": \S/]
        } sort keys %master),
    ["reel_master_keys $d/master.json; reel_master_keys $d/master.json;", '',
        qr/"reel_master_keys" .*duplicate/],
    ['reel_key_rotation often;', '', qr/"reel_key_rotation" .*invalid/],
    ['reel_key_rotation 1000001;', '', qr/value must be/],
    ['reel_key_delivery yes;', '', qr/"reel_key_delivery" .*"on" or "off"/],
    ['reel_key_uri a; reel_key_uri b;', '', qr/"reel_key_uri" .*duplicate/],
    ["reel_key_uri 'a\"b';", '', qr/"reel_key_uri" .*no quotes/],
    ['reel_license_uri;', '', qr/arguments in "reel_license_uri"/],
    ['reel_drm fairplay;', '', qr/invalid value "fairplay"/],
    ['reel_cors_origin a b;', '', qr/arguments in "reel_cors_origin"/],
    ['reel_cors_origin a; reel_cors_origin b;', '',
        qr/"reel_cors_origin" .*duplicate/],
    (map { (["$_;", '', qr/"$_" directive is not allowed/],
        ['', "$_;", qr/"$_" directive is not allowed/],
        ['', sprintf($in, "$_ on;"), qr/arguments in "$_"/],
        ['', sprintf($in, "proxy_pass http://127.0.0.1; $_;"),
            qr/"$_" .*conflicts/],
        ['', sprintf($in, "$_; $_;"), qr/"$_" .*conflicts/],
        ['', "location \@x { $_; }", qr/"$_" .*named location/],
        ['', sprintf($in, "$_;"), qr/needs "reel_store"/, 'reel_store'],
        ) } qw(reel_upload reel_api reel_play)),
    (map { (["$_;", '', qr/"$_" directive is not allowed/],
        ['', sprintf($in, "$_ /srv;"), qr/arguments in "$_"/],
        ['', sprintf($in, "$_; reel_play;"), qr/"reel_play" .*conflicts/],
        ['', "location \@x { $_; }", qr/"$_" .*named location/],
        ) } qw(reel_play_files)),
    (map { ['', "location ~ ^/x/ { $_; }", qr/"$_" .*regular expression/]
        } qw(reel_upload reel_api)),
    (map { ['', sprintf($in, "$_;"), qr/"$_".* need "reel_access_keys"/,
        'reel_access_keys'] } qw(reel_upload reel_api)),
);

# every directive of the docs has a row, or several
my %rows;
for (@refused) {
    my ($http, $server, $like, @without) = @$_;
    my ($good, $said) = try_conf($http, $server, @without);
    my $name = join ' ', grep { length } $http, $server,
        map { "(no $_)" } @without;
    $name =~ s/\Q$d\E/DIR/g;
    ok(!$good, "refused: $name") or diag $said;
    like($said, $like, "and told: $name");
    unlike($said, qr/SECRET/, 'no secret in it') if $name =~ /keys|SECRET/;
    $rows{$_}++ for "$http $server" =~ /\b(reel_\w+)/g;
}

my @directives = slurp("$Reel::TOP/docs/directives.md") =~ /^\| `(reel_\w+)/mg;
cmp_ok(scalar @directives, '>', 10, 'the docs have directives');
my $page = slurp("$Reel::TOP/docs/coming-from-nginx-vod.md");
my %is = map { $_ => 1 } @directives;
is(join(' ', grep { !$is{$_} } $page =~ /`\$?(reel_(?!\w*status)\w+)/g), '',
    "the counterparts of nginx-vod-module's directives exist");
is(scalar(() = $page =~ /^\| vod/mg), 116, 'of each of which it has a row');
is(join(' ', grep { !$rows{$_} } @directives), '',
    'each of them was tried with something bad');

# what is good must not be refused by the same roads
for (['', 'location / { reel_play; }', 'reel_access_keys'],
    ['', 'location / { reel_play; }', 'reel_zone'],
    ['reel_zone a:256k; reel_store ' . "$d/store/;", ''],
    ["reel_redis unix:$d/r db=3 password_file=$d/file;", sprintf($in,
        'reel_api; reel_redis off;')],
    ['reel_upload_buffer 4k; reel_upload_max_size 8g; reel_cors_origin off;'
        . 'reel_upload_min_free 1g; reel_upload_sync off; '
        . 'reel_pipelines default fast-2; reel_redis_timeout 1s;'
        . 'reel_api_upload_path /; reel_api_play_path /p/q/;',
        sprintf($in, 'reel_upload;')])
{
    my ($good, $said) = try_conf(@$_);
    ok($good, "taken: $_->[0] $_->[1]") or diag $said;
}

# others may read the keys: told, not refused
chmod 0644, "$d/keys.json";
my ($good, $said) = try_conf('', '');
ok($good, 'keys that others may read');
like($said, qr/\[warn\].*reel_access_keys .*chmod 600/, 'are warned of');

# films without a place for their indexes: told once
my $two = 'location /a/ { reel_play_files; } location /b/ { reel_play_files; }';
(undef, $said) = try_conf('', $two, 'reel_zone');
is(scalar(() = $said =~ /\[warn\].*"reel_play_files" without "reel_zone"/g), 1,
    'reel_play_files without reel_zone') or diag $said;
(undef, $said) = try_conf('', $two);
unlike($said, qr/\[warn\].*without "reel_zone"/, 'and with it');

# --- variables ------------------------------------------------------------

my $v = Reel->new(idle => 1, http => 'log_format reel "$request_method $uri '
    . '[$reel_asset] [$reel_rendition] [$reel_segment] [$reel_status] '
    . '[$reel_cache_status]";');
my $log = "$v->{dir}/vars.log";
$v->{o}{conf} = "access_log $log reel;
    location /upload/ { reel_upload; }
    location /api/    { reel_api; }
    location /play/   { reel_play; }
    location /other/  { return 204; }";
$v->nginx_start;

my $a = Asset->new($v, fragments => 9);
my $id = $a->{id};
my $lines = 0;


# asks, and compares the line that the log got for it
sub logged {
    my ($want, $name, $method, $target, %o) = @_;
    my $r = http($v, $method, $target, %o);
    my @log;
    wait_for(sub { @log = -e $log ? split /\n/, slurp($log) : ();
        @log > $lines }, "the log of $name");
    $lines = @log;
    my ($path) = $target =~ /^([^?]*)/;
    is($log[-1], "$method $path $want", "log: $name");
    return $r;
}

logged("[$id] [-] [-] [OK] [MISS]", 'the first look', 'GET',
    "/play/$id/master.m3u8");
logged("[$id] [-] [-] [OK] [HIT]", 'the next', 'GET',
    "/play/$id/manifest.mpd");
logged("[$id] [v720] [-] [OK] [HIT]", 'a media playlist', 'GET',
    $a->url('media.m3u8', 'v720', 3));
logged("[$id] [v720] [2] [OK] [HIT]", 'a segment', 'GET',
    $a->url('2.m4s', 'v720', 3));
logged("[$id] [a128] [0] [OK] [HIT]", 'by its bare name', 'HEAD',
    "/play/$id/a128/0.m4s");
logged("[$id] [v720] [99] [NOT_FOUND] [HIT]", 'no such segment', 'GET',
    $a->url('99.m4s', 'v720', 3));
logged("[$id] [v9] [1] [NOT_FOUND] [HIT]", 'no such rendition', 'GET',
    "/play/$id/v9/1.m4s");
logged("[$id] [v720] [2] [RANGE_NOT_SATISFIABLE] [HIT]", 'no such range',
    'GET', $a->url('2.m4s', 'v720', 3),
    headers => { Range => 'bytes=99999999-' });
logged('[-] [-] [-] [BAD_PATH] [-]', 'no path of ours', 'GET',
    '/play/nothing');
$a->make(fragments => 9, publication => 2);
my $seen = '';
wait_for(sub { http($v, 'GET', "/play/$id/master.m3u8");
    $seen = slurp($log); $seen =~ /\[REVALIDATED\]$/m },
    'a new publication is seen');
$lines = () = $seen =~ /\n/g;
is((split /\n/, $seen)[-1],
    "GET /play/$id/master.m3u8 [$id] [-] [-] [OK] [REVALIDATED]",
    'log: a new publication');

my $r = http($v, 'PUT', presign($v, 'PUT', '/upload/video/a.mp4'),
    body => 'abc');
my $up = $r->{headers}{'reel-asset'};
wait_for(sub { slurp($log) =~ /^PUT/m }, 'the log of an upload');
like(slurp($log), qr{^PUT /upload/video/a\.mp4 \[$up\] \[-\] \[-\] \[OK\] \[-\]$}m,
    'log: an upload has the new asset');
$lines = () = slurp($log) =~ /\n/g;
logged("[$up] [-] [-] [PREPARING] [MISS]", 'not ready', 'GET',
    "/play/$up/master.m3u8");
logged('[-] [-] [-] [AccessDenied] [-]', 'an unsigned upload', 'PUT',
    '/upload/video/b.mp4', body => 'x');
logged("[$up] [-] [-] [OK] [-]", 'the API', 'GET', "/api/assets/$up",
    headers => signed_headers($v, 'GET', "/api/assets/$up"));
logged('[-] [-] [-] [UNSIGNED] [-]', 'the API, unsigned', 'GET',
    '/api/assets');
logged('[-] [-] [-] [-] [-]', 'a location that is not ours', 'GET',
    '/other/');

done_testing();
