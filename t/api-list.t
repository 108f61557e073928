#!/usr/bin/perl

# a page of the list whatever its assets are: what it leaves out, and what
# does not fit
use strict;
use warnings;
use File::Path qw(make_path);
use JSON::PP qw(encode_json);
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(redis => 1);


sub call {
    my ($path) = @_;
    return http($t, 'GET', $path, headers =>
        signed_headers($t, 'GET', $path));
}


sub home { return "$t->{dir}/store/assets/" . substr($_[0], -2) . "/$_[0]"; }


my $r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/film.mp4'),
    body => 'a film');
my $first = $r->{headers}{'reel-asset'};
my $request = slurp(home($first) . '/request.json');
my $catalog = 'reel1:{r0}:catalog:default';
Reel::wait_for(sub { $t->redis('ZCARD', $catalog) == 1 }, 'the catalogue');

# as if workerd had ended them
my @ids = map { sprintf '01j0000000%016d', $_ } 1 .. 60;

sub result {
    my ($id, %o) = @_;
    spew(home($id) . '/result.json', encode_json({ asset => $id,
        publication => 1, completed_ms => 1700000000000, %o }));
}

for my $id (@ids) {
    (my $mine = $request) =~ s/\Q$first\E/$id/g;
    make_path(home($id));
    spew(home($id) . '/request.json', $mine);
    $t->redis('ZADD', $catalog, 1700000000000, $id);
}

# as many files as a pipeline may keep, of more assets than one page's room
my @files = map { { task => 'frames', name => sprintf('%05d.jpg', $_),
    object => "0-1-$_", bytes => 0 } } 1 .. 4000;
result($_, ready => JSON::PP::true, duration_ms => 1000, renditions => [],
    sound => 'copied', files => \@files) for @ids;
$r = call('/api/assets?limit=100');
has_status($r, 200, undef, 'assets of many files');
my $page = json($r->{body})->{assets};
is(scalar @$page, 61, 'all of them');
is(scalar(grep { exists $_->{files} } @$page), 0, 'without their files');
is(scalar(grep { ($_->{sound} || '') eq 'copied' } @$page), 60,
    'with all else');
is(scalar @{ json(call("/api/assets/$ids[0]")->{body})->{files} }, 4000,
    'which one asset has');

# nor the ends of logs, of more films that failed than one page's room
my %failed = (ready => JSON::PP::false, duration_ms => 0, renditions => [],
    code => 'INTERNAL', stage => 'plan', retryable => JSON::PP::false);
result($_, %failed, detail => 'd', log => '"' x 65000) for @ids;
$r = call('/api/assets?limit=100');
has_status($r, 200, undef, 'assets that failed at length');
$page = json($r->{body})->{assets};
is_deeply([ sort keys %{ (grep { $_->{error} } @$page)[0]{error} } ],
    [ qw(code detail retryable stage) ], 'tell why, without their logs');
is(scalar(grep { exists $_->{error} } @$page), 60, 'all of them');
is(length json(call("/api/assets/$ids[0]")->{body})->{error}{log}, 65000,
    'which one asset has');

# what cannot be told at once is an answer, too
result($_, %failed, detail => '"' x 65000, log => '') for @ids;
$r = call('/api/assets?limit=100');
has_status($r, 500, 'TOO_LARGE', 'more than an answer holds');
has_header($r, 'Content-Type', qr{^application/problem\+json$}, 'a problem');
like($t->log, qr/\[error\].*reel: the answer to GET has more than 4194304 bytes/,
    'which the log says');
$r = call('/api/assets?limit=20');
has_status($r, 200, undef, 'fewer');


done_testing();
