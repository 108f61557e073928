# tus: HEAD while another process completes: the last byte is not success yet
use strict;
use warnings;
use Fcntl;
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/lib';
use Reel;
use Tus;

my $t = Reel->new;
my $store = "$t->{dir}/store";

# all bytes are here, but the asset could not be made
my $url = create($t, 3);
my ($id) = $url =~ m{([^/]+)$};
rename "$store/assets", "$store/assets.off" if -e "$store/assets";
spew("$store/assets", '');
my $r = patch($t, $url, 0, 'abc');
cmp_ok($r->{status}, '>=', 400, 'the completion fails') or diag $r->{raw};
unlink "$store/assets";
rename "$store/assets.off", "$store/assets" if -e "$store/assets.off";

# another process, which nobody can ask to leave, has its turn
open my $state, '+<', "$store/uploads/$id/state" or die $!;
sub turn { my ($type) = @_;
    # F_OFD_SETLK, struct flock of 64 bits
    fcntl $state, 37, pack 'ssx4qqlx4', $type, 0, 0, 10_001, 0 or die $! }
turn(F_WRLCK);

my $began = time;
my $pid = open my $head, '-|' // die $!;
if (!$pid) {
    my $h = eval { tus($t, 'HEAD', $url) };
    printf "%d %s %s\n", $h->{status}, $h->{headers}{'upload-offset'} // '-',
        $h->{headers}{'reel-asset'} // '-';
    close STDOUT;
    require POSIX;
    POSIX::_exit(0);
}
sleep 6.5;
turn(F_UNLCK);
my $line = <$head>;
my $took = time - $began;
close $head;
like($line, qr/^200 3 [0-9a-z]{26}$/, 'HEAD tells of the asset');
cmp_ok($took, '>=', 6.4, 'and not before it stands');
my ($asset) = $line =~ /(\w{26})/;
is(slurp(asset_source($t, $asset)), 'abc', 'which has the bytes');

done_testing();
