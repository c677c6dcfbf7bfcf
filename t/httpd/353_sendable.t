# SPDX-License-Identifier: Apache-2.0
#
# What an origin sends that is no response, or none that httpd sends on, is not stored: else one bad
# response would be everybody's for as long as it says.
use strict;
use warnings;

use Storer::Test;
use Test::More;

expect_log(qr/AH02430: Response header 'X-Control' value of .* contains invalid characters/,
    qr/AH01110: error reading response/); # of a length that is none

# ---- a field that httpd refuses to send ----------------------------------------------------------

for my $case ([ 'control', "X-Control: a\x01b" ], [ 'escape', "X-Control: \x1b[31m" ],
    [ 'delete', "X-Control: a\x7fb" ]) {
    my ($name, $field) = @$case;
    my $path = "/353/$name";
    control($path, cc => 'max-age=600', h => $field);
    is(fetch($path)->status, 500, "$name: httpd refuses to send it");
    control($path, cc => 'max-age=600');
    my $response = fetch($path);
    is($response->status, 200, "$name: but not for ever");
    is_body($response, $path);
    is_cache(fetch($path), 'HIT', "$name: and what follows is stored");
}
{
    # the body comes later
    my $path = '/353/late';
    control($path, cc => 'max-age=600', h => "X-Control: a\x01b", body => '300K');
    is(fetch($path)->status, 500, 'a large body: refused');
    control($path, cc => 'max-age=600');
    is(fetch($path)->status, 200, 'a large body: not for ever');
}
{
    # a 304 with such a field changes nothing that is stored
    my $path = '/353/confirmed';
    control($path, cc => 'max-age=60', etag => '"v1"', h => 'Age: 100');
    fetch($path);
    control($path, cc => 'max-age=600', etag => '"v1"', h => "X-Control: a\x01b");
    fetch($path);
    control($path, cc => 'max-age=600', etag => '"v1"');
    is(fetch($path)->status, 200, 'a 304 with such a field spoils no stored response');
}
{
    # while it is refreshed in the background
    my $path = '/353/refreshed';
    control($path, cc => 'max-age=60, stale-while-revalidate=600', etag => '"v1"', h => 'Age: 100');
    fetch($path);
    control($path, cc => 'max-age=600', etag => '"v2"', h => "X-Control: a\x01b");
    is(fetch($path)->status, 200, 'what is stale is served');
    wait_for('the refresh', sub { requests($path) == 2 });
    wait_for('its end', sub { fetch($path)->status == 200 });
    is(fetch($path)->status, 200, 'and a refresh does not spoil it');
}

# ---- a head that is none -------------------------------------------------------------------------

# httpd takes these for the body of an HTTP/0.9 response, and makes a 200 of them
for my $line ('HTTP/1.1 99 Odd', 'HTTP/1.1 abc Odd', 'HTTP/1.1 20 OK', 'ICY 200 OK', 'HTTP/1.1',
    'garbage') {
    my $path = '/353/line-' . join '', map { /\w/ ? $_ : '-' } split //, $line;
    my @host = (host => 'default-expire.test');
    control($path, cc => 'max-age=600', line => $line, close => 1);
    fetch($path, @host);
    control($path, cc => 'max-age=600');
    my $response = fetch($path, @host);
    is_body($response, $path, name => "$line: is not stored");
    is_cache(fetch($path, @host), 'HIT', "$line: what follows is");
}
for my $line ('HTTP/1.1 099 Odd', 'HTTP/1.1 600 Odd', 'HTTP/1.1 999 Odd', 'HTTP/1.1 000 Odd') {
    my $path = '/353/status-' . substr $line, 9, 3;
    control($path, cc => 'max-age=600', line => $line);
    fetch($path);
    fetch($path);
    is(requests($path), 2, "$line: is not stored");
}
{
    my $path = '/353/line-short';
    control($path, cc => 'max-age=600', line => 'HTTP/1.1 200');
    fetch($path);
    is_cache(fetch($path), 'HIT', 'a status line without a reason is one');
}

# ---- lengths that contradict each other ----------------------------------------------------------

for my $case ([ 'lengths', clen => 64, h => 'Content-Length: 63' ],
    [ 'list', clen => '64, 63' ], [ 'no-number', clen => '6x4' ], [ 'negative', clen => '-64' ],
    [ 'coding', clen => 64, h => 'Transfer-Encoding: chunked', text => "5\r\nhello\r\n0\r\n\r\n" ]) {
    my ($name, @parameters) = @$case;
    my $path = "/353/length-$name";
    control($path, cc => 'max-age=600', @parameters);
    fetch($path);
    control($path, cc => 'max-age=600');
    my $response = fetch($path);
    is_body($response, $path, name => "$name: is not stored");
    is_cache(fetch($path), 'HIT', "$name: what follows is");
}
{
    my $path = '/353/length-same';
    control($path, cc => 'max-age=600', clen => 64, h => 'Content-Length: 64');
    fetch($path);
    my $hit = fetch($path);
    is_body($hit, $path, name => 'the same length twice is that length');
    is($hit->header('Content-Length'), 64, 'and is sent once');
}

finish();
