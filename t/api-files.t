#!/usr/bin/perl

# the API hands out what a pipeline's programs made, and nothing else
use strict;
use warnings;
use File::Path qw(make_path);
use JSON::PP qw(encode_json);
use Test::More;
use lib 't/lib';
use Reel;

# one whose files are parts of another page, too
my $id = '01j0000000' . '0' x 16;
my $part = "/api/assets/$id/files/captions";
my $t = Reel->new(conf => "location /upload/ { reel_upload; }
    location /api/ { reel_api; }
    location /both {
    default_type text/html; return 200 'page';
    add_before_body $part/de.vtt; add_after_body ${part}.3/de.vtt; }");


sub call {
    my ($method, $path, %o) = @_;
    return http($t, $method, $path, %o,
        headers => { %{ signed_headers($t, $method, $path, %o) },
            %{ $o{headers} || {} } });
}


my $r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/film.mp4',
    query => { 'reel-asset' => $id }), body => 'a film');
has_status($r, 200, undef, 'the upload');
my $home = "$t->{dir}/store/assets/" . substr($id, -2) . "/$id";
my $vtt = "WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n";
my @files = (
    [ 'captions', 'de.vtt', '0-1-aa', $vtt ],
    [ 'captions.3', 'de.vtt', '0-2-bb', 'of another part' ],
    [ 'x', 'page.html', '0-3-cc', '<script>' ],
    [ 'x', 'none', '1-3-cc', '' ],
);

sub result {
    spew("$home/result.json", encode_json({ asset => $id, publication => 1,
        ready => JSON::PP::true, completed_ms => 1700000000000,
        duration_ms => 1000, renditions => [], @_ }));
}

# of a pipeline without programs, which copies nothing
result();
$a = json(call('GET', "/api/assets/$id")->{body});
is($a->{status}, 'ready', 'ready');
is_deeply([ grep { exists $a->{$_} } qw(files pictures sound) ], [],
    'no files, and nothing said of copies');
has_status(call('GET', "/api/assets/$id/files/x/none"), 404, 'NOT_FOUND',
    'a file of none');

make_path("$home/file");
spew("$home/file/$_->[2]", $_->[3]) for @files;
result(pictures => 'copied', sound => 'encoded: no', files => [ map { {
    task => $_->[0], name => $_->[1], object => $_->[2],
    bytes => length $_->[3] } } @files ]);
$a = json(call('GET', "/api/assets/$id")->{body});
is_deeply($a->{files}, [ map { { task => $_->[0], name => $_->[1],
    bytes => length $_->[3] } } @files ], 'the asset names them');
is("$a->{pictures}, $a->{sound}", 'copied, encoded: no', 'and what was copied');

# each of them
for my $f (@files) {
    my ($task, $name, $object, $data) = @$f;
    $r = call('GET', "/api/assets/$id/files/$task/$name");
    has_status($r, 200, undef, "$task/$name");
    is($r->{body}, $data, "$task/$name: its bytes");
    has_header($r, 'ETag', qr/^"\Q$object\E"$/, "$task/$name");
    has_header($r, 'X-Content-Type-Options', qr/^nosniff$/, "$task/$name");
    has_header($r, 'Content-Disposition',
        qr/^attachment; filename="\Q$name\E"$/, "$task/$name");
    has_header($r, 'Content-Type', $name =~ /vtt$/ ? qr{^text/vtt$}
        : qr{^application/octet-stream$}, "$task/$name");
    has_header($r, 'Cache-Control', qr/^private, no-cache$/, "$task/$name");
}

my $path = "/api/assets/$id/files/captions/de.vtt";
$r = call('HEAD', $path);
is("$r->{status} $r->{headers}{'content-length'} '$r->{body}'",
    '200 ' . length($vtt) . " ''", 'HEAD');
$r = call('GET', $path, headers => { Range => 'bytes=8-33' });
has_status($r, 206, undef, 'a range');
is($r->{body}, substr($vtt, 8, 26), 'its bytes');
$r = call('GET', $path, headers => { Range => 'bytes=100-' });
has_status($r, 416, 'RANGE_NOT_SATISFIABLE', 'a range behind the end');
$r = call('GET', $path, headers => { 'If-None-Match' => '"0-1-aa"' });
is($r->{status}, 304, 'not modified');
$r = http($t, 'GET', presign($t, 'GET', $path));
is($r->{body}, $vtt, 'by a presigned URL');

$r = http($t, 'GET', '/both', headers => {
    Authorization => 'Bearer ' . Reel::jwt() });
is($r->{body}, "${vtt}pageof another part", 'subrequests');

# who may not, and what is not there
has_status(http($t, 'GET', $path), 401, 'UNSIGNED', 'a stranger');
has_status(call('GET', $path, key => $Reel::KEY2, secret => $Reel::SECRET2),
    404, 'NOT_FOUND', "another project");
has_status(call('POST', $path), 405, 'METHOD_NOT_ALLOWED', 'POST');
for my $p ('captions/en.vtt', 'x/de.vtt', 'captions', 'captions/', '',
    'x/none/', 'captions/de.vtt/x', 'file/0-1-aa', 'x/0-3-cc',
    'x/..%2F..%2Frequest.json', 'x/%2e%2e/%2e%2e/source',
    '..%2f/source', 'x/none%00', '/etc/passwd')
{
    $r = call('GET', "/api/assets/$id/files/$p");
    like($r->{status}, qr/^40[04]$/, "files/$p: $r->{status}");
    unlike($r->{body}, qr/a film|WEBVTT|root:/, "files/$p");
}

# what result.json says is not what stands
spew("$home/file/0-1-aa", 'short');
has_status(call('GET', $path), 500, 'BAD_OBJECT', 'a damaged file');
unlink "$home/file/0-1-aa";
symlink "$home/source", "$home/file/0-1-aa" or die "symlink: $!";
has_status(call('GET', $path), 500, 'STORE_FAILED', 'a link');
unlink "$home/file/0-1-aa";
has_status(call('GET', $path), 500, 'STORE_FAILED', 'a file that is gone');
like($t->log, qr/file "de\.vtt" of task "captions" of asset $id/,
    'which the log says');

is(call('DELETE', "/api/assets/$id")->{status}, 204, 'delete');
has_status(call('GET', $path), 410, 'DELETED', 'a file of what is deleted');


done_testing();
