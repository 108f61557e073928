#!/usr/bin/perl

# Every file of conf/ is taken by the program that it is for.

use strict;
use warnings;
use lib 't/lib';
use Conf;
use File::Basename qw(basename dirname);
use File::Find qw(find);
use Reel;
use Test::More;
use Token;

my $t = Conf->new;
my $d = $t->{dir};
my $workerd = ($ENV{REEL_MODULE} ? dirname($ENV{REEL_MODULE})
    : "$Reel::TOP/build") . '/bin/workerd';
my %checked;


sub file { my ($f) = @_; $checked{$f} = 1; return slurp("$Reel::TOP/$f"); }


# the places of `make run`, none of which may be left
sub filled {
    my ($f) = @_;
    my %by = (RUN => $d, USER => '', LISTEN => '127.0.0.1',
        PORT => $t->{port});
    my $text = file($f);
    $text =~ s/\@([A-Z]+)\@/$by{$1} \/\/ die "\@$1\@ in $f is not known\n"/ge;
    return $text;
}


sub workerd {
    my ($text) = @_;
    spew("$d/reel.yaml", $text);
    my $out = `$workerd -t -c $d/reel.yaml 2>&1`;
    return ($? == 0, $out);
}


my ($good, $said) = $t->check("pid $d/nginx.pid;\n" . Conf::replace(
    file('conf/nginx.conf'), $t->own_places,
    'listen 8080;' => "listen 127.0.0.1:$t->{port};",
    "http {\n" => "http {\n" . $t->own_paths));
ok($good, 'conf/nginx.conf') or diag $said;
unlike($said, qr/\[warn\]/, 'conf/nginx.conf: no warning');

symlink Conf::module(), "$d/bin/ngx_http_reel_module.so" or die $!;
($good, $said) = $t->check(filled('conf/run.nginx.conf'));
ok($good, 'conf/run.nginx.conf') or diag $said;
unlike($said, qr/\[warn\]/, 'conf/run.nginx.conf: no warning');

# t/edge.t runs it
($good, $said) = $t->check("pid $d/nginx.pid;\n" . Conf::replace(
    file('conf/edge.conf'),
    'modules/ngx_http_reel_module.so;' => Conf::module() . ';',
    '/etc/reel/tokens.json;' => key_file("$t->{dir}/tokens.json", 'one')
        . ';', 'listen 80;' => "listen 127.0.0.1:$t->{port};",
    '/var/cache/nginx/reel' => "$d/cache",
    'origin.example:8080' => '127.0.0.1:1',
    "http {\n" => "http {\n" . $t->own_paths));
ok($good, 'conf/edge.conf') or diag $said;
unlike($said, qr/\[warn\]/, 'conf/edge.conf: no warning');

SKIP: {
    skip 'workerd is not built', 4 if !-x $workerd;
    my @pipelines = map { basename $_ } glob "$Reel::TOP/conf/pipelines/*";
    mkdir "$d/conf/pipelines";
    spew("$d/conf/pipelines/$_", file("conf/pipelines/$_")) for @pipelines;
    my $n = grep { /\.yaml\z/ } @pipelines;

    ($good, $said) = workerd(Conf::replace(file('conf/reel.yaml'),
        'store: /var/lib/reel/store' => "store: $d/store",
        '/etc/reel/pipelines' => "$d/conf/pipelines"));
    ok($good, 'conf/reel.yaml') or diag $said;
    like($said, qr/\b$n pipelines/, 'and every pipeline') or diag $said;

    ($good, $said) = workerd(filled('conf/run.reel.yaml'));
    ok($good, 'conf/run.reel.yaml') or diag $said;

    # -t does look: one letter is told by file, line and column
    spew("$d/conf/pipelines/bad.yaml", "preset: veryfast\ngop_mz: 2000\n");
    ($good, $said) = workerd(filled('conf/run.reel.yaml'));
    ok(!$good && $said =~ /bad\.yaml:2:1: .*gop_mz/, 'a bad one is refused')
        or diag $said;
}

# the store and the folders of nginx.conf, reel.yaml and the unit agree
my ($store) = file('conf/reel.yaml') =~ /^store: (.*)$/m;
like(file('conf/nginx.conf'), qr/^\s*reel_store\s+\Q$store\E;/m,
    'nginx.conf and reel.yaml name one store');

for my $f (glob "$Reel::TOP/conf/systemd/*") {
    my $name = 'conf/systemd/' . basename $f;
    my $text = file($name);
    my $section = '';
    my @bad;

    for (split /\n/, $text) {
        next if /^\s*(?:[#;]|$)/;
        if (/^\[(Unit|Service|Install)\]$/) { $section = $1; next; }
        push @bad, $_ if !$section || !/^[A-Z][A-Za-z]*=\S/;
    }
    is("@bad", '', "$name: sections, and key=value in them");

    my ($rw) = $text =~ /^ReadWritePaths=(.*)$/m;
    like($store, qr/^\Q$rw\E\//, "$name: the store may be written to");

    # a reload waits until it is ready; what children can take in all, and
    # that one of them dies alone
    like($text, qr/^$_$/m, "$name: $_")
        for 'Type=notify', 'TasksMax=\d+', 'MemoryMax=\d+%', 'OOMPolicy=continue';

    SKIP: {
        skip 'no systemd-analyze here', 1
            if system('command -v systemd-analyze >/dev/null') != 0;
        # the program is not installed where the unit names it
        mkdir "$d/systemd";
        $text =~ s{/usr/bin/reel-workerd}{/bin/true}g;
        spew("$d/systemd/" . basename($f), $text);
        my $out = `systemd-analyze verify --man=no $d/systemd/@{[ basename $f
            ]} 2>&1`;
        my $code = $?;
        skip 'systemd-analyze cannot work here', 1
            if $out =~ /Failed to (?:initialize|connect|create)/i;
        # of units of this machine's nothing is known here
        my @of = grep { /\Q@{[ basename $f ]}\E/ } split /\n/, $out;
        is("@of", '', "$name: systemd-analyze has nothing to say");
    }
}

find({ no_chdir => 1, wanted => sub {
    my $f = $File::Find::name;
    return if -d $f;
    $f =~ s/^\Q$Reel::TOP\E\///;
    ok($checked{$f}, "$f is checked here");
} }, "$Reel::TOP/conf");

done_testing();
