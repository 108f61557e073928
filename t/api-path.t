#!/usr/bin/perl

# where an API location ends and its calls begin
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(conf => '
    location /api { reel_api; }
    location /slash/ { reel_api; }
    location /was/ { rewrite ^/was/v1/(.*)$ /was/$1 break; reel_api; }
    location /out/ { rewrite ^/out/(.*)$ /$1 break; reel_api; }');


sub answer {
    my ($path) = @_;
    return http($t, 'POST', $path, body => '{"name":"a"}', headers =>
        { Authorization => 'Bearer ' . Reel::jwt() });
}


for my $path ('/api/uploads', '/api/uploads/', '/api//uploads',
    '/slash/uploads', '/was/v1/uploads', '/was/uploads', '/out/uploads')
{
    has_status(answer($path), 201, undef, $path);
}

for my $path ('/apiuploads', '/apis/uploads', '/api', '/api/', '/api/x/uploads',
    '/slash/', '/was/v1/', '/out/was/uploads')
{
    has_status(answer($path), 404, 'NOT_FOUND', $path);
}

done_testing;
