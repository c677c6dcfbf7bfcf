# SPDX-License-Identifier: Apache-2.0
#
# The forms in which a client may write a URL and its origin: those of one URL are one key, what is no URL
# is none of the cache's, and names, ports and schemes that anybody may invent neither make entries nor
# get those of others.
use strict;
use warnings;

use JSON::PP ();
use Storer::Test;
use Test::More;

my $port = vars->{port};
my @at = (address => '127.0.0.5');
my @keys = (@at, host => 'keys.test');
my $json = JSON::PP->new;

sub page { return target(shift, cc => 'max-age=600', body => 100, @_) }

# Fetched twice: what the second answer was.
sub second {
    my ($target, @option) = @_;
    fetch($target, @option);
    return fetch($target, @option);
}

sub api {
    my ($host, %message) = @_;
    my $response = fetch('/312/admin', @at, host => $host, method => 'POST',
        body => $json->encode(\%message), headers => [ 'Content-Type' => 'application/json' ]);
    is($response->status, 200, "the API takes $message{type} @{ $message{selectors} }");
    return;
}

# ---- what is no URL ------------------------------------------------------------------------------

for my $host ('keys.test', 'keys-slow.test') {
    my @host = (@at, host => $host);
    my @targets = map { my $name = $_; substr page('/', seed => $name), 1 } 'alice', 'bob';
    for (1, 2) {
        for my $target (@targets) {
            my $response = fetch($target, @host);
            isnt($response->cache || '', 'HIT', "$host: a target without a path is not cached");
            my ($seed) = $target =~ /seed=(\w+)/;
            is_body($response, '/', size => 100, seed => $seed) if $response->status == 200;
        }
    }
    my $body = page("/312/body-$host");
    for my $name (qw(one two)) {
        my $response = fetch($body, @host, body => "name=$name");
        isnt($response->cache || '', 'HIT', "$host: a GET with a body is the origin's");
        like($response->header('Cache-Status'), qr/fwd=bypass.*detail="the request has a body"/,
            'and the response says why');
    }
    is_cache(fetch($body, @host), 'MISS', 'nor was it stored');
    isnt(fetch($body, @host, body => 'name=one')->cache || '', 'HIT', 'nor is it answered');
}

# ---- a request line with scheme and host ---------------------------------------------------------

for my $host ('keys.test', "keys.test:$port", 'keys-slow.test') {
    my @host = (@at, host => $host);
    my $target = page("/312/whole-$host");
    my $whole = "http://$host$target";
    is_cache(fetch($whole, @host), 'MISS', "$host: the whole URL");
    is_cache(fetch($target, @host), 'HIT', 'the path of it');
    is_cache(fetch("HTTP://$host$target", @at, host => 'other.test'), 'HIT',
        'which goes before the Host');
    is(fetch($whole, @host, method => 'POST', body => 'x=1')->status, 200, 'POST of the whole URL');
    is_cache(fetch($target, @host), 'MISS', 'has made it invalid');
    isnt(fetch("https://$host$target", @host)->cache || '', 'HIT', 'a scheme that the connection has not');
}
{
    my $target = page('/312/purged');
    is_cache(second($target, @keys), 'HIT', 'a URL');
    is(fetch("http://keys.test$target", @keys, method => 'PURGE')->status, 200, 'PURGE of the whole URL');
    is_cache(fetch($target, @keys), 'MISS', 'reaches it');
}

# ---- CacheDisable is about the path, however it is written ----------------------------------------

for my $host ('keys.test', 'keys-slow.test') {
    for my $path ('/312/disabled/a', '/312/%64isabled/b', '//312/disabled/c', '/312/./disabled/d') {
        isnt(second(page($path), @at, host => $host)->cache || '', 'HIT', "$host: $path is not cached");
    }
}

# ---- names that anybody may invent ---------------------------------------------------------------

for my $name ('keys.test', 'keys-alias.test', 'any.keys-wild.test', 'KEYS.test.', 'localhost',
    '127.0.0.5', "keys.test:$port", 'keys.test:80', '[::1]') {
    is_cache(second(page("/312/named/$name"), @at, host => $name), 'HIT', "Host: $name");
}
for my $name ('invented.test', 'keys.test.invented.test', '192.0.2.1', 'keys.test:81', '[::2]') {
    my $response = second(page('/312/invented'), @at, host => $name);
    like($response->header('Cache-Status'), qr/fwd=bypass.*none of this server's names/,
        "Host: $name is none of the cache's, and it says why");
}
is_cache(second(page('/312/any'), address => '127.0.0.6', host => 'invented.test'), 'HIT',
    'CacheStorerHosts any');

# ---- TLS that has ended in front -----------------------------------------------------------------

{
    my $path = '/312/tls';
    my $target = page($path);
    my @https = map { [ @$_ ] } [ 'X-Forwarded-Proto' => 'https' ], [ 'X-Forwarded-SSL' => 'on' ],
        [ Forwarded => 'for=192.0.2.1;proto=https, for=192.0.2.2' ], [ 'X-Tls' => 'yes' ];
    is_cache(second($target, @keys), 'HIT', 'a page over http');
    control($path, seed => 2);
    is_cache(fetch($target, @keys, headers => $https[0]), 'MISS', 'over https it is another one');
    for my $headers (@https) {
        my $response = fetch($target, @keys, headers => $headers);
        is_cache($response, 'HIT', "by $$headers[0]");
        is_body($response, $path, size => 100, seed => 2, name => 'the page for https');
    }
    is_body(fetch($target, @keys), $path, size => 100, name => 'and over http the one for http');
    like(fetch($target, @keys, headers => [ 'X-Forwarded-Proto' => $_ ])->header('Cache-Status'),
        qr/fwd=bypass.*neither http nor https/, "X-Forwarded-Proto: $_")
        for 'ftp', 'https, http', 'HTTPS';

    is(fetch($target, @keys, method => 'PURGE')->status, 200, 'PURGE');
    is_cache(fetch($target, @keys), 'MISS', 'reaches the page for http');
    is_cache(fetch($target, @keys, headers => $https[0]), 'MISS', 'and the one for https');
    fetch($target, @keys, method => 'POST', body => 'x=1', headers => $https[0]);
    is_cache(fetch($target, @keys), 'MISS', 'so does a POST over https');
    is_cache(second($target, @keys, headers => $https[0]), 'HIT', 'the page for https');
    api('keys.test', type => 'uri', selectors => ["https://keys.test$target"]);
    is_cache(fetch($target, @keys, headers => $https[0]), 'MISS', 'goes by its URL');
    is_cache(fetch($target, @keys), 'HIT', 'and leaves the one for http');
    api('keys.test', type => 'uri-prefix', selectors => ["https://keys.test$path"]);
    is_cache(fetch($target, @keys, headers => $https[0]), 'MISS', 'and by the beginning of it');

    my $redirect = target('/312/redirect', cc => 'max-age=600', status => 301,
        h => 'Location: https://keys.test/312/redirect');
    is_cache(second(page('/312/elsewhere', status => 301, h => 'Location: /312/new'), @keys), 'HIT',
        'a redirect');
    control('/312/redirect', h => "Location: https://keys.test$redirect");
    isnt(second($redirect, @keys)->cache || '', 'HIT', 'one to the same URL with https is not stored');
}

# ---- what the API lists, it takes ----------------------------------------------------------------

for my $path ('/312/list/plain', '/312/list/{brace}', "/312/list/caf\xc3\xa9", '/312/list/%7B%C3%A9') {
    my $target = page($path);
    is_cache(second($target, @keys), 'HIT', $path);
    my ($key) = grep { m{/312/list/} } @{ $json->decode(fetch('/312/admin/', @keys)->content) };
    ok($key, "the API lists it: $key");
    api('keys.test', type => 'uri', selectors => [$key]);
    is_cache(fetch($target, @keys), 'MISS', 'and takes what it lists');
    is_cache(fetch($target, @keys), 'HIT', 'stored again');
    api('keys.test', type => 'uri-prefix', selectors => [ $key =~ /^([^?]*)/ ]);
    is_cache(fetch($target, @keys), 'MISS', 'and the beginning of it');
    fetch($target, @keys, method => 'PURGE');
}
{
    my @six = (@at, host => '[::1]');
    my $target = page('/312/six');
    for my $way ([ uri => "http://[::1]$target" ], [ origin => "http://[::1]" ],
        [ origin => '[::1]' ]) {
        is_cache(second($target, @six), 'HIT', 'a page of an IPv6 address');
        api('keys.test', type => $$way[0], selectors => [ $$way[1] ]);
        is_cache(fetch($target, @six), 'MISS', "$$way[0] $$way[1]");
    }
}

# ---- directives of mod_cache that shape its key ---------------------------------------------------

{
    my @base = (@at, host => 'keys-base.test');
    my $target = page('/312/base');
    my $response = second($target, @base);
    is_cache($response, 'HIT', 'CacheKeyBaseURL');
    like($response->header('Cache-Status'), qr{key="http://www\.keys-base\.test:80/312/base\?"},
        'is in the key, and CacheIgnoreQueryString');
    is_cache(fetch('/312/base?another=1', @base), 'HIT', 'another query');
    is_cache(fetch('/312/base;sid=17?another=1', @base), 'HIT', 'a session in the path');
    unlike(fetch($target, @at, host => 'invented.test')->header('Cache-Status'), qr/hit/,
        'of another host it is not');
    for my $url ('http://www.keys-base.test/312/base', 'http://keys-base.test/312/base?x=1') {
        is_cache(second($target, @base), 'HIT', 'stored');
        api('keys-base.test', type => 'uri', selectors => [$url]);
        is_cache(fetch($target, @base), 'MISS', "purged as $url");
    }
    api('keys-base.test', type => 'origin', selectors => ['http://keys-base.test']);
    is_cache(fetch($target, @base), 'MISS', 'and by its origin');
}

finish();
