# SPDX-License-Identifier: Apache-2.0
#
# Nobody sees what is another one's: cookies that are set, and what was made for credentials, under
# every combination of the directives.
use strict;
use warnings;

use Storer::Test;
use Test::More;

# ---- Set-Cookie ----------------------------------------------------------------------------------

# [host, Cache-Control, whether it is stored, whether a hit has the cookie]
for my $case (
    [ undef,                'max-age=600',                          0, 0 ],
    [ undef,                'public, max-age=600',                  0, 0 ],
    [ undef,                'max-age=600, no-cache="Set-Cookie"',   1, 0 ],
    [ undef,                'max-age=600, private="Set-Cookie"',    1, 0 ],
    [ 'cookies-strip.test', 'max-age=600',                          1, 0 ],
    [ 'cookies-strip.test', 'private, max-age=600',                 0, 0 ],
    [ 'cookies-store.test', 'max-age=600',                          1, 1 ],
    [ 'cookies-store.test', 'private, max-age=600',                 0, 0 ],
) {
    my ($host, $control, $stored, $shown) = @$case;
    my @host = $host ? (host => $host) : ();
    my $path = '/200/cookie/' . ($host || 'default') . '/' . ($control =~ tr/a-z//cdr);
    my $name = ($host || 'default') . ", $control";
    my $target = target($path, cc => $control, h => 'Set-Cookie: sess=first', etag => 'auto');

    my $first = fetch($target, @host);
    is($first->header('Set-Cookie'), 'sess=first', "$name: the first client gets its cookie");
    control($path, cc => $control, h => 'Set-Cookie: sess=second', etag => 'auto');
    my $second = fetch($target, @host);
    my $cookie = $second->header('Set-Cookie') || '';
    if ($stored) {
        is_cache($second, 'HIT', $name);
        is($cookie, $shown ? 'sess=first' : '', "$name: the second client");
    }
    else {
        is($cookie, 'sess=second', "$name: the second client gets its own");
    }

    # a 304 that sets one
    next unless $stored;
    control($path, cc => $control, h => 'Set-Cookie: sess=third', etag => 'auto');
    fetch($target, @host, headers => [ 'Cache-Control' => 'max-age=0' ]);
    is(fetch($target, @host)->header('Set-Cookie') || '', $shown ? 'sess=third' : '',
        "$name: after a 304 that sets another one");
}

# ---- Authorization -------------------------------------------------------------------------------

my @alice = (headers => [ Authorization => 'Basic YWxpY2U6YQ==' ]);
my @bob = (headers => [ Authorization => 'Basic Ym9iOmI=' ]);

# The body depends on the credentials: who gets another one's has got what is not his.
# [Cache-Control, Vary, shared among users]
for my $host (undef, 'slow.test', 'cookies-store.test', 'everything.test') {
    for my $case (
        [ 'max-age=600',                   undef,           0 ],
        [ 'private, max-age=600',          undef,           0 ],
        [ 'public, max-age=600',           undef,           1 ],
        [ 's-maxage=600',                  undef,           1 ],
        [ 'max-age=600, must-revalidate',  undef,           1 ],
        [ 'max-age=600, proxy-revalidate', undef,           0 ],
        [ 'public, max-age=600',           'Authorization', 0 ],
        [ 's-maxage=600',                  'Authorization', 0 ],
    ) {
        my ($control, $vary, $shared) = @$case;
        my @host = $host ? (host => $host) : ();
        my $label = join '/', $host || 'default', $control =~ tr/a-z//cdr, $vary || 'novary';
        my $path = "/200/auth/$label";
        my $target = target($path, cc => $control, echo => 'Authorization', etag => 'auto',
            $vary ? (vary => $vary) : ());
        my %variant = (alice => 'Basic YWxpY2U6YQ==', bob => 'Basic Ym9iOmI=', none => '');

        is_body(fetch($target, @host, @alice), $path, variant => $variant{alice},
            name => "$label: alice");
        if ($shared) {
            my $hit = fetch($target, @host, @bob);
            is_cache($hit, 'HIT', "$label: bob");
            is_body($hit, $path, variant => $variant{alice}, name => "$label: what is for all");
            is_body(fetch($target, @host), $path, variant => $variant{alice},
                name => "$label: and without credentials");
        }
        else {
            is_body(fetch($target, @host, @bob), $path, variant => $variant{bob},
                name => "$label: bob gets his own");
            is_body(fetch($target, @host), $path, variant => $variant{none},
                name => "$label: without credentials");
            is_body(fetch($target, @host, @alice), $path, variant => $variant{alice},
                name => "$label: alice again");
            if ($vary) {
                is_cache(fetch($target, @host, @alice), 'HIT', "$label: alice, her own");
            }
        }
    }
}

# the origin gets the credentials that mod_cache was not shown
{
    my $path = '/200/forwarded';
    fetch(target($path, cc => 'no-store'), @alice);
    like(last_request($path), qr/^Authorization: Basic YWxpY2U6YQ==\r?$/mi, 'forwarded once')
        and is(scalar(() = last_request($path) =~ /^Authorization:/mgi), 1, 'and only once');
}

# stored without credentials and for nobody in particular: not for those who have some
{
    my $path = '/200/anonymous';
    my $target = target($path, cc => 'max-age=600', echo => 'Authorization');
    is_body(fetch($target), $path, variant => '', name => 'without credentials');
    is_body(fetch($target, @alice), $path, variant => 'Basic YWxpY2U6YQ==',
        name => 'with credentials: not what was stored for those without');
}

# the same where the origin is not told who asks: httpd has let him in
{
    my @host = (host => 'unset-credentials.test');
    my $target = target('/200/unset/own', cc => 'max-age=600');
    fetch($target, @host, @alice);
    fetch($target, @host);
    is(requests('/200/unset/own'), 2, 'not stored, though its handler saw no credentials');
    fetch(target('/200/unset/missing', status => 404), @host, @alice);
    is(requests('/200/unset/error-page'), 1, 'nor');
    fetch('/200/unset/error-page?cc=max-age%3D600', @host);
    is(requests('/200/unset/error-page'), 2, 'what an internal redirect has led to');
    my $public = target('/200/unset/public', cc => 'public, max-age=600');
    fetch($public, @host, @alice);
    is_cache(fetch($public, @host), 'HIT', 'but what is for all');
}

# an expression sees the credentials that mod_cache is not shown
{
    my @host = (host => 'bypass-credentials.test');
    my $target = target('/200/bypass', cc => 'public, max-age=600', echo => 'Authorization');
    fetch($target, @host);
    is_body(fetch($target, @host, @alice), '/200/bypass', variant => 'Basic YWxpY2U6YQ==',
        name => 'CacheStorerBypass for all who have credentials');
    is_body(fetch($target, @host), '/200/bypass', variant => '', name => 'and nothing is stored');
}

# a line of httpd's own does not hide the origin's
{
    my @host = (host => 'always-header.test');
    my $target = target('/200/always', cc => 'private');
    my $response = fetch($target, @host);
    is(join(', ', sort split /, /, $response->header('Cache-Control')), 'max-age=600, private',
        'the client gets both lines');
    fetch($target, @host);
    is(requests('/200/always'), 2, 'both of them count');
}

# what replaces a user's own variant is that user's as well: by a client's revalidation, and by a
# refresh in the background
for my $window ('', ', stale-while-revalidate=600') {
    my $label = $window ? 'in the background' : 'by the client';
    my $path = '/200/renewed/' . ($window ? 'background' : 'client');
    my @old = (cc => "public, max-age=60$window", h => 'Age: 100', vary => 'Authorization',
        echo => 'Authorization', etag => 'auto');
    my @new = (cc => 'public, max-age=600', vary => 'Authorization', echo => 'Authorization',
        etag => 'auto', seed => 2);
    my $target = target($path);
    control($path, @old);
    fetch($target, @$_) for \@alice, \@bob;
    control($path, @new);
    fetch($target, @alice);
    my $response;
    wait_for("alice's new one, $label", sub {
        $response = fetch($target, @alice);
        return $response->header('X-Seed') eq '2';
    });
    is_body($response, $path, variant => 'Basic YWxpY2U6YQ==', seed => 2, name => "alice, $label");
    is(requests($path), 3, "renewed once, $label");
    fetch($target, @bob);
    wait_for("bob's new one, $label", sub {
        $response = fetch($target, @bob);
        return $response->header('X-Seed') eq '2';
    });
    is_body($response, $path, variant => 'Basic Ym9iOmI=', seed => 2, name => "bob, $label");
}

finish();
