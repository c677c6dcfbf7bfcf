# SPDX-License-Identifier: Apache-2.0
#
# The admin API: who may use it, what it lists and tells, and what it purges. A virtual host's admin
# sees and reaches what is its own.
use strict;
use warnings;

use JSON::PP ();
use Storer::Test;
use Test::More;

my @pass = (headers => [ 'X-Pass' => 'open' ]);
my $json = JSON::PP->new->utf8->allow_nonref;

# One call of the API, by who may. path, method, host, headers, message => what is sent as JSON
sub call {
    my ($path, %option) = @_;
    my @headers = ('X-Pass' => 'open', @{ delete $option{headers} || [] });
    my $message = delete $option{message};
    if ($message) {
        $option{method} = 'POST';
        $option{body} = $json->encode($message);
        push @headers, 'Content-Type' => 'application/json';
    }
    $option{host} ||= 'admin.test';
    return fetch("/cache-admin$path", %option, headers => \@headers);
}

sub told {
    my ($response) = @_;
    is($response->header('Content-Type'), 'application/json', 'JSON');
    is($response->header('Cache-Control'), 'no-store', 'not to be stored');
    return $json->decode($response->content);
}

sub stored {
    my ($path, %option) = @_;
    my $host = delete $option{host} || 'admin.test';
    my $headers = delete $option{headers} || [];
    my $target = target($path, cc => 'max-age=600', etag => 'auto', %option);
    fetch($target, host => $host, headers => $headers);
    is_cache(fetch($target, host => $host, headers => $headers), 'HIT', "$path is stored");
    return $target;
}

sub is_gone {
    my ($target, $name, %option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_cache(fetch($target, host => 'admin.test', %option), 'MISS', $name);
}

sub is_there {
    my ($target, $name, %option) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_cache(fetch($target, host => 'admin.test', %option), 'HIT', $name);
}

sub url_of { return "http://admin.test" . shift }

# ---- who may -------------------------------------------------------------------------------------

{
    my $target = stored('/280/guarded');
    expect_log(qr/authz_core:error.*AH01630.*cache-admin/);
    expect_log(qr/CS0521.*administration is refused for \Q$_\E/) for '/cache-open', '/cache-granted/';
    is(fetch('/cache-admin', host => 'admin.test')->status, 403, 'Require says no');
    is(fetch($_, host => 'admin.test')->status, 403, "$_: nobody, where everybody might")
        for '/cache-open', '/cache-granted/';
    is(fetch($_, host => 'admin.test', method => 'PURGE')->status, 403, "$_: nor purge")
        for '/cache-open/flush', '/cache-granted/flush';
    is_there($target, 'and nothing was purged');
}
{
    my $target = stored('/280/cross');
    my @message = (message => { type => 'everything' });
    my %refused = (
        'a page of another site' => [ 'Sec-Fetch-Site' => 'cross-site' ],
        'one of the same site'   => [ 'Sec-Fetch-Site' => 'same-site' ],
        'another origin'         => [ Origin => 'http://evil.test' ],
        'no origin'              => [ Origin => 'null' ],
        'both, one of them bad'  => [ Origin => 'http://evil.test', 'Sec-Fetch-Site' => 'same-origin' ],
    );
    expect_log(qr/CS0544.*page of another site asks for a purge/);
    for my $who (sort keys %refused) {
        is(call('', headers => $refused{$who}, @message)->status, 403, "POST by $who");
        is(call('/flush', headers => $refused{$who}, method => 'PURGE')->status, 403, "PURGE by $who");
    }
    expect_log(qr/CS0820.*refused under the host name evil\.test/);
    my $evil = [ Origin => 'http://evil.test', 'Sec-Fetch-Site' => 'same-origin' ];
    is(fetch('/cache-main/flush', address => '127.0.0.2', host => 'evil.test', method => 'PURGE',
        headers => $evil)->status, 403, 'a host name that leads here, but is not ours');
    is_there($target, 'and nothing was purged');
    my $own = [ Origin => 'http://admin.test', 'Sec-Fetch-Site' => 'same-origin' ];
    is(call('', headers => $own, message => { type => 'uri', selectors => [ url_of($target) ] })->status,
        200, 'the page itself may');
    is_gone($target, 'and it does');
}

# ---- lists ---------------------------------------------------------------------------------------

my @paths = map { "/280/list/$_" } qw(a b c d e);
stored($_, body => 10) for @paths;
my @urls = map { url_of("$_?cc=max-age%3D600&etag=auto&body=10") } @paths;
stored('/280/list/elsewhere', host => 'admin-other.test');

{
    my $response = call('?pattern=/280/list/');
    is($response->status, 200, 'a list');
    is_deeply(told($response), \@urls, 'of all that match, in order, of this virtual host');
    is_deeply(told(call('/280/list/[bd]')), [ @urls[1, 3] ], 'a pattern in the path');
    is_deeply(told(call('/http://admin.test/280/list/c')), [ $urls[2] ], 'as a URL');
    is_deeply(told(call('/%5Eh.*/list/a%5C%3F')), [ $urls[0] ], 'escaped');
    my $all = told(call('/'));
    is((grep { m{//admin.test/} } @$all), @$all, 'without a pattern: all that is ours');
    is((grep { m{/280/list/} } @$all), 5, 'and all of it');
    my $main = $json->decode(fetch('/cache-main?pattern=/280/list/', address => '127.0.0.2')->content);
    is(@$main, 6, 'the main server\'s: of all virtual hosts');
    is(call('/no-such-thing')->status, 404, 'nothing matches');
    is(call('/(')->status, 400, 'a pattern that is none');
    like(told(call('/('))->{error}, qr/the pattern \(: .*parenthes/, 'says so');
    is(call('/a%00b')->status, 404, 'a NUL');
    is(call('', method => 'DELETE')->status, 405, 'another method');
    is(call('', method => 'HEAD')->content, '', 'HEAD');
}
{
    my @seen;
    my $next = '?pattern=/280/list/&limit=2';
    my $pages = 0;
    while ($next) {
        my $response = call($next);
        my $page = told($response);
        push @seen, @$page;
        $pages++;
        cmp_ok(@$page, '<=', 2, "page $pages is no longer than asked for");
        ($next) = ($response->header('Link') || '') =~ m{\A</cache-admin(\?[^>]+)>; rel="next"\z};
        last if $pages > 5;
    }
    is($pages, 3, 'five keys by twos: three pages');
    is_deeply(\@seen, \@urls, 'each key once');
    for my $limit (qw(0 -1 x 10001 2x)) {
        is(call("?limit=$limit")->status, 400, "limit=$limit");
    }
}
{
    my $target = stored('/280/tagged', h => 'Surrogate-Key: 280-one, 280-two');
    stored('/280/tagged-too', h => 'Surrogate-Key: 280-one');
    my $tags = told(call('/surrogate_keys'));
    is($tags->{'280-two'}, url_of($target) =~ s/,/%2C/gr, 'a tag and its URL');
    is(() = $tags->{'280-one'} =~ m{http://}g, 2, 'a tag of two URLs');
    my $response = call('/surrogate_keys?limit=1');
    is(keys %{ told($response) }, 1, 'page by page');
    like($response->header('Link'), qr{</cache-admin/surrogate_keys\?cursor=280-one&limit=1>},
        'and where the next is');
}
{
    my $target = stored('/280/popular', h => 'Surrogate-Key: 280-popular');
    fetch($target, host => 'admin.test') for 1 .. 30;
    my $top = told(call('/top?limit=1'));
    is($top->{keys}[0]{key}, url_of($target), 'the most popular key');
    cmp_ok($top->{keys}[0]{hits}, '>=', 31, 'how often it was hit');
    is($top->{tags}[0]{tag}, '280-popular', 'the most popular tag');
    is($top->{tags}[0]{entries}, 1, 'and how many carry it');
}

# ---- one entry -----------------------------------------------------------------------------------

{
    my $target = stored('/280/entry', body => 100, h => 'Surrogate-Key: 280-e');
    my $url = url_of($target) =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
    my $response = call("/entry?url=$url");
    is($response->status, 200, 'an entry');
    my $entry = told($response);
    is(@{ $entry->{variants} }, 1, 'has one variant');
    my $variant = $entry->{variants}[0];
    is($variant->{status}, 200, 'its status');
    is($variant->{body_bytes}, 100, 'its length');
    is($variant->{state}, 'fresh', 'is fresh');
    like($variant->{why}, qr/served without a question for 5\d\d s more/, 'for how long');
    is_deeply($variant->{tags}, ['280-e'], 'its tags');
    is($variant->{hits}, 1, 'its hits');
    ok((grep { lc $_->[0] eq 'etag' } @{ $variant->{headers} }), 'its header fields');
    is(call("/entry?url=http://admin.test/280/none")->status, 404, 'an unknown one');
    is(call('/entry?url=/280/entry')->status, 400, 'what is no URL');
    is(call('/entry')->status, 400, 'none at all');
    is(call("/entry?url=$url", host => 'admin-other.test')->status, 404, 'another site\'s');
}
{
    my $path = '/280/variants';
    my $target = target($path, cc => 'max-age=600', vary => 'X-Group', echo => 'X-Group');
    fetch($target, host => 'admin.test', headers => [ 'X-Group' => $_ ]) for qw(a b c);
    my $url = url_of($target) =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
    my $entry = told(call("/entry?url=$url"));
    is(join(' ', sort map { $_->{key} =~ /\{-VARY-\}(.*)/ } @{ $entry->{variants} }),
        'x-group:a x-group:b x-group:c', 'all variants of a URL');
}
{
    my $stats = told(call('/stats'));
    cmp_ok($stats->{stores}[0]{keys}, '>', 5, 'numbers: keys');
    cmp_ok($stats->{stores}[0]{used_bytes}, '<', $stats->{stores}[0]{size_bytes}, 'and bytes');
}

# ---- purges --------------------------------------------------------------------------------------

# [what, the call, how it is answered, what goes, what stays]
my @purges = (
    [ 'a URL', [ '', message => { type => 'uri', selectors => ['URL'] } ], 200, ['/280/p/a'],
        [ '/280/p/ab', '/280/p/a/b' ] ],
    [ 'host and path', [ '', message => { type => 'uri', selectors => ['HOSTPATH'] } ], 200,
        ['/280/p/a'], ['/280/p/ab'] ],
    [ 'a prefix', [ '', message => { type => 'uri-prefix',
        selectors => ["http://admin.test/280/p/a"] } ], 200, [ '/280/p/a', '/280/p/a/b' ],
        [ '/280/p/ab', '/280/q' ] ],
    [ 'an origin', [ '', message => { type => 'origin', selectors => ["http://admin.test"] } ],
        200, [ '/280/p/a', '/280/q' ], [] ],
    [ 'another origin', [ '', message => { type => 'origin', selectors => ['https://admin.test'] } ],
        200, [], ['/280/p/a'] ],
    [ 'a host', [ '', message => { type => 'origin', selectors => ['ADMIN.test'] } ], 200,
        [ '/280/p/a', '/280/q' ], [] ],
    [ 'a group', [ '', message => { type => 'group', groups => ['tag-a'] } ], 200, ['/280/p/a'],
        ['/280/p/ab'] ],
    [ 'two groups', [ '', message => { type => 'group', selectors => [ 'tag-a', 'tag-ab' ] } ], 200,
        [ '/280/p/a', '/280/p/ab' ], ['/280/q'] ],
    [ 'a pattern', [ '', message => { type => 'pattern', selectors => ['/p/a\?'] } ], 200,
        ['/280/p/a'], ['/280/p/ab'] ],
    [ 'everything', [ '', message => { type => 'everything' } ], 200, [ '/280/p/a', '/280/q' ], [] ],
    [ 'PURGE with tags', [ '', method => 'PURGE', headers => [ 'Surrogate-Key' => 'tag-a tag-b' ] ],
        204, ['/280/p/a'], ['/280/p/ab'] ],
    [ 'PURGE of a pattern', [ '/280/p/a%5C%3F', method => 'PURGE' ], 204, ['/280/p/a'],
        ['/280/p/ab'] ],
    [ 'PURGE of all', [ '/flush', method => 'PURGE' ], 204, [ '/280/p/a', '/280/q' ], [] ],
    [ 'PURGE of mappings', [ '/mapping', method => 'PURGE' ], 204, [], ['/280/p/a'] ],
    [ 'PURGE of nothing', [ '', method => 'PURGE' ], 400, [], ['/280/p/a'] ],
    [ 'no type', [ '', message => { selectors => ['x'] } ], 400, [], ['/280/p/a'] ],
    [ 'an unknown type', [ '', message => { type => 'all' } ], 400, [], ['/280/p/a'] ],
    [ 'no selectors', [ '', message => { type => 'uri' } ], 400, [], ['/280/p/a'] ],
    [ 'an unknown key', [ '', message => { type => 'everything', hard => 1 } ], 400, [],
        ['/280/p/a'] ],
    [ 'a bad pattern', [ '', message => { type => 'pattern', selectors => ['('] } ], 400, [],
        ['/280/p/a'] ],
    [ 'no URL', [ '', message => { type => 'uri', selectors => ['/280/p/a'] } ], 400, [],
        ['/280/p/a'] ],
    [ 'what is no JSON', [ '', method => 'POST', body => '{',
        headers => [ 'Content-Type' => 'application/json' ] ], 400, [], ['/280/p/a'] ],
    [ 'JSON that does not say so', [ '', method => 'POST', body => '{"type":"everything"}',
        headers => [ 'Content-Type' => 'text/plain' ] ], 415, [], ['/280/p/a'] ],
    [ 'a long body', [ '', method => 'POST', body => ' ' x 1_100_000,
        headers => [ 'Content-Type' => 'application/json' ] ], 413, [], ['/280/p/a'] ],
);

my %tag = ('/280/p/a' => 'tag-a', '/280/p/ab' => 'tag-ab');
my $round = 0;
for my $purge (@purges) {
    my ($what, $call, $status, $goes, $stays) = @$purge;
    my %target;
    my @all = (@$goes, @$stays);
    $round++;
    for my $path (@all) {
        $target{$path} = target($path, cc => 'max-age=600', n => $round,
            $tag{$path} ? (h => "Surrogate-Key: $tag{$path}") : ());
        fetch($target{$path}, host => 'admin.test');
    }
    my $other = target('/280/p/a', cc => 'max-age=600', n => $round, h => 'Surrogate-Key: tag-a');
    fetch($other, host => 'admin-other.test');
    my $url = url_of($target{ $all[0] });
    my $text = $json->encode($call);
    $text =~ s/HOSTPATH/"admin.test$target{ $all[0] }"/e;
    $text =~ s/"URL"/$json->encode($url)/e;
    my ($path, @option) = @{ $json->decode($text) };
    my $response = call($path, @option);
    is($response->status, $status, "$what: $status") or diag($response->content);
    like($response->content, qr/"error":/, "$what: says what is wrong") if $status >= 400;
    is_gone($target{$_}, "$what: $_ is gone") for @$goes;
    is_there($target{$_}, "$what: $_ is there") for @$stays;
    is_there($other, "$what: another site's is there", host => 'admin-other.test');
}
{
    my $target = stored('/280/soft', cc => 'max-age=600, must-revalidate');
    my $message = { type => 'uri', purge => JSON::PP::false, selectors => [ url_of($target) ] };
    is(call('', message => $message)->status, 200, 'a soft purge');
    is_cache(fetch($target, host => 'admin.test'), 'REVALIDATE', 'is asked of the origin');
    stored('/280/soft-too');
    is(call('/280/soft-too', method => 'PURGE', headers => [ 'Soft-Purge' => 1 ])->status, 204,
        'by the method');
}
{
    my $target = stored('/280/hostile' . 'a' x 60);
    my $response = call('', message => { type => 'pattern', selectors => ['(a+)+$x|(a+)+!'] });
    is($response->status, 400, 'a pattern that tries for ever');
    like($response->content, qr/takes too long/, 'is told so');
    is_there($target, 'and purges nothing');
}
{
    my $here = stored('/280/main');
    my $there = stored('/280/main', host => 'admin-other.test');
    is(fetch('/cache-main/280/main', address => '127.0.0.2', method => 'PURGE')->status, 204,
        'the main server\'s purge');
    is_gone($here, 'reaches one site');
    is_gone($there, 'and the other', host => 'admin-other.test');
}

# ---- the page ------------------------------------------------------------------------------------

{
    my $response = call('', headers => [ Accept => 'text/html,application/xhtml+xml,*/*;q=0.8' ]);
    is($response->status, 200, 'a browser gets a page');
    is($response->header('Content-Type'), 'text/html; charset=utf-8', 'HTML');
    my ($nonce) = ($response->header('Content-Security-Policy') || '') =~ /script-src 'nonce-(\w{32})'/;
    ok($nonce, 'its scripts are named by a nonce');
    is(() = $response->content =~ /<script/g, () = $response->content =~ /<script nonce="$nonce"/g,
        'all of them');
    unlike($response->content, qr/\@NONCE\@|\@import|(?:\bsrc|\bhref)=["'](?!data:)|url\(/,
        'it is complete, and asks nobody else');
    isnt(call('', headers => [ Accept => 'text/html' ])->header('Content-Security-Policy'),
        $response->header('Content-Security-Policy'), 'each time another one');
}

finish();
