# SPDX-License-Identifier: Apache-2.0
#
# What is the same for the origin is one entry: request headers that are folded before Vary is
# matched (CacheStorerNormalize), and query strings (CacheStorerKeyQuery).
use strict;
use warnings;

use Storer::Test;
use Test::More;

sub with { my ($name, $value) = @_; return (headers => [ $name => $value ]) }

# ---- Accept-Encoding -----------------------------------------------------------------------------

my %browser = (
    chrome  => 'gzip, deflate, br, zstd',
    firefox => 'gzip, deflate, br;q=0.9, zstd',
    safari  => 'gzip, deflate, br',
    curl    => 'deflate, gzip',
);
my @coded = (body => 1_000, cc => 'max-age=600', vary => 'Accept-Encoding');

for my $coding ('gzip', 'br') {
    my $path = "/210/coding/$coding";
    my $target = target($path, @coded, h => "Content-Encoding: $coding");
    fetch($target, with('Accept-Encoding', $browser{chrome}));
    for my $name (qw(chrome firefox safari)) {
        my $response = fetch($target, with('Accept-Encoding', $browser{$name}));
        is_cache($response, 'HIT', "$coding: $name");
        is($response->header('Content-Encoding'), $coding, 'in the coding it accepts');
        is($response->header('Vary'), 'Accept-Encoding', 'and Vary is there');
    }
    is(requests($path), 1, "$coding: one entry for three browsers");
}
{
    # who accepts less is not given more, whoever came before
    my $path = '/210/less';
    my $target = target($path, @coded, h => 'Content-Encoding: br');
    fetch($target, with('Accept-Encoding', 'br, gzip'));
    control($path, body => 1_000, cc => 'max-age=600', vary => 'Accept-Encoding',
        h => 'Content-Encoding: gzip');
    is(fetch($target, with('Accept-Encoding', 'gzip'))->header('Content-Encoding'), 'gzip',
        'no br for who accepts gzip only');
    control($path, body => 1_000, cc => 'max-age=600', vary => 'Accept-Encoding', h => 'X-Plain: 1');
    is(fetch($target)->header('Content-Encoding'), undef, 'nor for who accepts nothing');
    is(requests($path), 3, 'three entries');

    # and who accepts more is not given what was made for who accepts less
    for my $case ([ 'br, gzip', 'br' ], [ 'gzip', 'gzip' ], [ 'identity', undef ],
        [ 'gzip;q=0', undef ], [ 'br;q=0, gzip', 'gzip' ]) {
        my ($accept, $coding) = @$case;
        my $response = fetch($target, with('Accept-Encoding', $accept));
        is_cache($response, 'HIT', $accept);
        is($response->header('Content-Encoding'), $coding, "$accept: its own");
    }
    is(fetch($target, with('Accept-Encoding', 'br, gzip, zstd'))->header('Content-Encoding'), undef,
        'more than was ever offered: the origin is asked');
    is(requests($path), 4, 'by one request');
}
{
    # a picture is not compressed, whatever is accepted
    my $path = '/210/picture';
    my $target = target($path, @coded, ct => 'image/png');
    fetch($target, with('Accept-Encoding', $browser{chrome}));
    is_cache(fetch($target, with('Accept-Encoding', $browser{$_})), 'HIT', "identity: $_")
        for sort keys %browser;
    is_cache(fetch($target), 'HIT', 'identity: nothing accepted');
    is(requests($path), 1, 'one entry');
}
{
    # off: as they are, but for spaces
    my $path = '/210/off';
    my $target = target($path, @coded, h => 'Content-Encoding: gzip');
    my @off = (host => 'normalize-off.test');
    fetch($target, @off, with('Accept-Encoding', 'gzip, br'));
    is_cache(fetch($target, @off, with('Accept-Encoding', 'gzip,br')), 'HIT', 'other spaces');
    fetch($target, @off, with('Accept-Encoding', 'br, gzip'));
    is(requests($path), 2, 'CacheStorerNormalize none: two spellings, two entries');
}

# ---- other headers -------------------------------------------------------------------------------

{
    my $path = '/210/language';
    my @all = (host => 'normalize-all.test');
    my $target = target($path, cc => 'max-age=600', vary => 'Accept-Language');
    fetch($target, @all, with('Accept-Language', 'de-DE, de;q=0.8, en;q=0.5'));
    is_cache(fetch($target, @all, with('Accept-Language', $_)), 'HIT', $_)
        for 'de-de,de;q=0.8,en;q=0.5', 'en;q=0.5, de-DE, de;q=0.80';
    fetch($target, @all, with('Accept-Language', 'en'));
    is(requests($path), 2, 'Accept-Language: two entries');

    # a response in the language that is wanted most, whatever else is wanted
    $path = '/210/content-language';
    $target = target($path, cc => 'max-age=600', vary => 'Accept-Language', h => 'Content-Language: de');
    fetch($target, @all, with('Accept-Language', 'en, de'));
    is_cache(fetch($target, @all, with('Accept-Language', $_)), 'HIT', "German for $_")
        for 'de, en', 'fr;q=0.5, de;q=1.0', 'de', 'DE;q=0.2';
    is(requests($path), 1, 'Content-Language: one entry');
    is_cache(fetch($target, @all, with('Accept-Language', $_)), 'MISS', "asked for: $_")
        for 'en', 'de, fr', 'de-AT', '*', 'en;q=0.9, de;q=0.8';

    $path = '/210/agent';
    $target = target($path, cc => 'max-age=600', vary => 'User-Agent');
    my $phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148';
    my $desk = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
    my $other_desk = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36';
    fetch($target, @all, with('User-Agent', $desk));
    is_cache(fetch($target, @all, with('User-Agent', $other_desk)), 'HIT', 'another desktop');
    fetch($target, @all, with('User-Agent', $phone));
    is(requests($path), 2, 'User-Agent: a telephone is another class');
}

# ---- the query -----------------------------------------------------------------------------------

{
    my $path = '/210/query';
    my @host = (host => 'query.test');
    my $cc = 'cc=max-age%3D600';
    fetch("$path?a=1&$cc&z=2", @host);
    for my $query ("z=2&a=1&$cc", "utm_source=x&a=1&z=2&$cc&utm_medium=y", "a=1&&z=2&$cc&fbclid=1") {
        is_cache(fetch("$path?$query", @host), 'HIT', $query);
    }
    fetch("$path?a=2&$cc&z=2", @host);
    is(requests($path), 2, 'utm_* and fbclid dropped, sorted: two entries for two resources');

    # an unsafe request and a Location name the same entry
    fetch("$path?z=2&$cc&a=1&utm_x=1", @host, method => 'POST', body => 'x');
    isnt(fetch("$path?a=1&$cc&z=2", @host)->cache, 'HIT', 'POST to another spelling');
    control('/210/query-post', h => "Location: $path?z=2&$cc&a=1");
    fetch('/210/query-post', @host, method => 'POST', body => 'x');
    isnt(fetch("$path?a=1&$cc&z=2", @host)->cache, 'HIT', 'Location in another spelling');

    $path = '/210/query-as-is';
    fetch("$path?a=1&b=2&$cc");
    fetch("$path?b=2&a=1&$cc");
    is(requests($path), 2, 'without the directive a query is what it is');
}

# ---- what is not the same ------------------------------------------------------------------------

# mod_cache makes its key before the path is decoded, and afterwards where it was not asked before:
# what is a "%" or a "?" of the path then must not be taken for one of the URL.
my @reload = (headers => [ 'Cache-Control' => 'no-cache' ]);
for my $case (
    [ 'encoded twice',        undef,             '/210/caf%25C3%25A9',         '/210/caf%C3%A9' ],
    [ 'encoded twice, slow',  'slow.test',       '/210/slow%25C3%25A9',        '/210/slow%C3%A9' ],
    [ 'question mark',        'query.test',      '/210/page%3Futm_a=1',        '/210/page' ],
    [ 'question mark, slow',  'query-slow.test', '/210/slowpage%3Futm_a=1',    '/210/slowpage' ],
    [ 'and a query',          'query-slow.test', '/210/other%3Fb&a',           '/210/other?a&b%3F' ],
) {
    my ($name, $host, $one, $other) = @$case;
    my @host = $host ? (host => $host) : ();
    my @parameters = (cc => 'max-age=600', h => "X-Path: $one");
    for my $how ([], \@reload) {
        control($one, @parameters);
        control($other =~ s/\?.*//r, cc => 'max-age=600');
        fetch($one, @host, @$how);
        my $response = fetch($other, @host);
        is($response->header('X-Path') || '', '', "$name" . (@$how ? ', reloaded' : ''));
    }
}

finish();
