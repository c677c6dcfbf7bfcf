# SPDX-License-Identifier: Apache-2.0
#
# A change by POST, PUT or DELETE: all variants of the URL are asked for again; if it failed, none.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @groups = qw(a b c);

sub fill {
    my ($target) = @_;
    fetch($target, headers => [ 'X-Group' => $_ ]) for @groups;
    return;
}

for my $method (qw(POST PUT DELETE)) {
    my $path = "/070/$method";
    my $target = target($path, body => 2000, cc => 'max-age=600', etag => 'auto', vary => 'X-Group',
        echo => 'X-Group');
    fill($target);
    is_cache(fetch($target, headers => [ 'X-Group' => 'a' ]), 'HIT', "before $method");

    my $change = fetch($target, method => $method, body => 'x=1', headers => [ 'X-Group' => 'b' ]);
    is($change->status, 200, $method);
    control($path, seed => 2);
    from_origin($path, 3, "all variants after $method", sub {
        for my $group (@groups) {
            my $response = fetch($target, headers => [ 'X-Group' => $group ]);
            is_body($response, $path, size => 2000, seed => 2, variant => $group,
                name => "$method: the new variant $group");
        }
    });
    from_origin($path, 0, "and again", sub {
        for my $group (@groups) {
            my $response = fetch($target, headers => [ 'X-Group' => $group ]);
            is_cache($response, 'HIT', "$method: stored again, variant $group");
            is_body($response, $path, size => 2000, seed => 2, variant => $group);
        }
    });

    # unchanged after all: 304 or 200, the body is right either way
    fetch($target, method => $method, body => 'x=1');
    for my $group (@groups) {
        my $response = fetch($target, headers => [ 'X-Group' => $group ]);
        is_body($response, $path, size => 2000, seed => 2, variant => $group,
            name => "$method without a change: variant $group");
    }
}

# without Vary
my $plain = target('/070/plain', body => 2000, cc => 'max-age=600');
fetch($plain);
fetch($plain, method => 'POST', body => 'x=1');
control('/070/plain', seed => 2);
is_body(fetch($plain), '/070/plain', size => 2000, seed => 2, name => 'without Vary');

# what was never stored
is(fetch(target('/070/never'), method => 'POST', body => 'x=1')->status, 200, 'POST of a new URL');

# a change that failed is none
for my $status (403, 500) {
    my $path = "/070/failed/$status";
    my $target = target($path, body => 2000, cc => 'max-age=600', vary => 'X-Group',
        echo => 'X-Group');
    fill($target);
    control($path, status => $status);
    is(fetch($target, method => 'POST', body => 'x=1')->status, $status, "POST fails: $status");
    control($path);
    from_origin($path, 0, "after a failed POST ($status)", sub {
        for my $group (@groups) {
            my $response = fetch($target, headers => [ 'X-Group' => $group ]);
            is_cache($response, 'HIT', "variant $group");
            is_body($response, $path, size => 2000, variant => $group);
        }
    });
}

# every unsafe method, also one that httpd does not know; no safe one
my $many = target('/070/methods', body => 100, cc => 'max-age=600');
for my $method (qw(PATCH MKCOL COPY PROPPATCH M-SEARCH FROBNICATE)) {
    fetch($many);
    is(fetch($many, method => $method, body => 'x')->status, 200, $method);
    is_cache(fetch($many), 'MISS', "after $method");
}
for my $method (qw(OPTIONS PROPFIND REPORT SEARCH)) {
    fetch($many);
    is(fetch($many, method => $method)->status, 200, $method);
    is_cache(fetch($many), 'HIT', "after $method");
}

# a redirect is a success too
my $moved = target('/070/moved', body => 100, cc => 'max-age=600');
fetch($moved);
control('/070/moved', status => 303, h => 'Location: /070/elsewhere');
is(fetch($moved, method => 'POST', body => 'x')->status, 303, 'POST, and a redirect');
control('/070/moved');
is_cache(fetch($moved), 'MISS', 'after it');

# what Location and Content-Location name on this host, and nowhere else
my $port = vars->{port};
my $named = '/070/folder/named?body=100&cc=max-age%3D600';
for my $case (
    [ $named,                                     'MISS', 'a path' ],
    [ "http://127.0.0.1:$port$named",             'MISS', 'a URL' ],
    [ 'folder/named?body=100&cc=max-age%3D600',   'MISS', 'a relative path' ],
    [ './x/../folder/named?body=100&cc=max-age%3D600', 'MISS', 'with dots' ],
    [ "//127.0.0.1:$port$named",                  'MISS', 'without a scheme' ],
    [ "http://other.test$named",                  'HIT',  'another host' ],
    [ "http://127.0.0.1:1$named",                 'HIT',  'another port' ],
    [ 'http://[broken',                           'HIT',  'nonsense' ],
) {
    my ($value, $want, $name) = @$case;
    for my $field ('Location', 'Content-Location') {
        fetch($named);
        control('/070/naming', h => "$field: $value");
        fetch('/070/naming', method => 'POST', body => 'x', host => "127.0.0.1:$port");
        is_cache(fetch($named), $want, "$field: $name");
    }
}
control('/070/naming', status => 404, h => "Location: $named");
fetch($named);
fetch('/070/naming', method => 'POST', body => 'x');
is_cache(fetch($named), 'HIT', 'Location of a failure');

# another URL is left alone
my $other = target('/070/other', body => 2000, cc => 'max-age=600');
fetch($other);
fetch($plain, method => 'POST', body => 'x=1');
is_cache(fetch($other), 'HIT', 'another URL');

# with encoded characters in the path
for my $host (undef, 'slow.test') {
    my @host = $host ? (host => $host) : ();
    my $path = '/070/caf%C3%A9%20' . ($host ? 'slow' : 'quick');
    my $target = target($path, cc => 'max-age=600');
    fetch($target, @host);
    is_cache(fetch($target, @host), 'HIT', "$path is stored");
    fetch($target, @host, method => 'POST', body => 'x=1');
    is_cache(fetch($target, @host), 'MISS', "$path: dropped by a POST");
}

finish();
