#!/usr/bin/perl

# The harness itself: a sanitizer's report fails the .t that caused it.

use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use Reel;
use Test::More;

my $dir = tempdir(CLEANUP => 1);


# a .t of its own: does it pass, and what it printed
sub try_test {
    my ($body) = @_;
    spew("$dir/try.t", "use strict; use warnings; use Reel; use Test::More;\n"
        . "$body\n");
    my $out = `$^X -It/lib $dir/try.t 2>&1`;
    return ($? == 0, $out);
}

my ($good, $out) = try_test('my $t = Reel->new(idle => 1);
    ok(1, "one"); done_testing();');
ok($good, 'no report, no failure') or diag $out;

my $plant = 'spew("$t->{dir}/san.77", "ERROR: planted here\n");';
my $said = 'spew("$t->{dir}/error.log", "a line\nx.c:7:42: runtime error: '
    . 'planted here\n");';
for (['at its end', "my \$t = Reel->new(idle => 1); $plant
        ok(1, 'one'); done_testing();"],
    ['in the middle', "{ my \$t = Reel->new(idle => 1); $plant }
        ok(1, 'one'); done_testing();"],
    ['behind a plan', "plan(tests => 1); my \$t = Reel->new(idle => 1);
        $plant ok(1, 'one');"],
    ['in the error log', "my \$t = Reel->new(idle => 1); $said
        ok(1, 'one'); done_testing();"])
{
    ($good, $out) = try_test($_->[1]);
    ok(!$good, "a report $_->[0] fails the test");
    like($out, qr/^not ok \d+ - the sanitizers/m, "$_->[0]: as a line");
    like($out, qr/planted here/, "$_->[0]: with its text");
}

# under sanitizers: one of nginx's workers that really crashes
if ($ENV{REEL_PRELOAD}) {
    ($good, $out) = try_test('my $t = Reel->new;
        kill "SEGV", $t->workers;
        wait_for(sub { $t->log =~ /worker process \d+ exited/ }, "a crash");
        ok(1, "one"); done_testing();');
    ok(!$good, 'a crash of a worker fails the test');
    like($out, qr/AddressSanitizer: SEGV/, 'by the sanitizer\'s report')
        or diag $out;
}

done_testing();
