# SPDX-License-Identifier: Apache-2.0
#
# Variants: a request is answered by the one whose headers are its own, or by the origin.
use strict;
use warnings;

use Storer::Test;
use Test::More;

# Requests with these headers, one after the other: [headers, want of X-Cache, the variant's text].
sub expect_sequence {
    my ($path, $parameters, @sequence) = @_;
    my $target = target($path, body => 700, cc => 'max-age=600', @$parameters);
    for my $step (@sequence) {
        my ($headers, $want, $variant, %option) = @$step;
        my $response = fetch($target, headers => $headers, %option);
        my $name = "$path [@$headers]";
        is_cache($response, $want, $name);
        is_body($response, $path, size => 700, variant => $variant, name => "$name: its body");
    }
    return;
}

expect_sequence('/030/one', [ vary => 'Accept-Language', echo => 'Accept-Language' ],
    [ [ 'Accept-Language' => 'en' ], MISS => 'en' ],
    [ [ 'Accept-Language' => 'de' ], MISS => 'de' ],
    [ [ 'Accept-Language' => 'en' ], HIT  => 'en' ],
    [ [ 'Accept-Language' => 'de' ], HIT  => 'de' ],
    [ [ 'Accept-Language' => 'fr' ], MISS => 'fr' ],
    [ [ 'Accept-Language' => 'en', 'X-Other' => 1 ], HIT => 'en' ],
    [ [ 'ACCEPT-LANGUAGE' => 'de' ], HIT => 'de' ],
    [ [ 'accept-language' => 'fr' ], HIT => 'fr' ]);

# the header absent, and present
expect_sequence('/030/absent', [ vary => 'X-Group', echo => 'X-Group' ],
    [ [], MISS => '' ],
    [ [], HIT  => '' ],
    [ [ 'X-Group' => 'a' ], MISS => 'a' ],
    [ [], HIT => '' ],
    [ [ 'X-Group' => 'a' ], HIT => 'a' ]);
expect_sequence('/030/present', [ vary => 'X-Group', echo => 'X-Group' ],
    [ [ 'X-Group' => 'a' ], MISS => 'a' ],
    [ [], MISS => '' ],
    [ [ 'X-Group' => 'a' ], HIT => 'a' ],
    [ [], HIT => '' ]);

# several headers, in one line and in two, in any case
my $number = 0;
for my $vary ('Accept-Language, X-Group', [ 'Accept-Language', 'X-Group' ],
    'accept-LANGUAGE,x-group', 'X-Group ,  Accept-Language') {
    expect_sequence('/030/two/' . $number++,
        [ vary => $vary, echo => [ 'Accept-Language', 'X-Group' ] ],
        [ [ 'Accept-Language' => 'en', 'X-Group' => 'a' ], MISS => 'en|a' ],
        [ [ 'Accept-Language' => 'en', 'X-Group' => 'b' ], MISS => 'en|b' ],
        [ [ 'Accept-Language' => 'de', 'X-Group' => 'a' ], MISS => 'de|a' ],
        [ [ 'X-Group' => 'a', 'Accept-Language' => 'en' ], HIT  => 'en|a' ],
        [ [ 'Accept-Language' => 'en', 'X-Group' => 'b' ], HIT  => 'en|b' ],
        [ [ 'Accept-Language' => 'de', 'X-Group' => 'a' ], HIT  => 'de|a' ],
        [ [ 'Accept-Language' => 'de', 'X-Group' => 'b' ], MISS => 'de|b' ]);
}

# a request header in several lines is the same as in one (RFC 9110 section 5.3)
expect_sequence('/030/lines', [ vary => 'X-Group', echo => 'X-Group' ],
    [ [ 'X-Group' => 'a', 'x-group' => 'b' ], MISS => 'a, b' ],
    [ [ 'X-Group' => 'a, b' ], HIT => 'a, b' ],
    [ [ 'X-GROUP' => 'a', 'X-Group' => 'b' ], HIT => 'a, b' ],
    [ [ 'X-Group' => 'a' ], MISS => 'a' ],
    [ [ 'X-Group' => 'b', 'X-Group' => 'a' ], MISS => 'b, a' ],
    [ [ 'X-Group' => 'a', 'X-Group' => 'b' ], HIT => 'a, b' ]);

# values that must not run into one another
expect_sequence('/030/edges', [ vary => 'X-A, X-B', echo => [ 'X-A', 'X-B' ] ],
    [ [ 'X-A' => '1', 'X-B' => '2' ], MISS => '1|2' ],
    [ [ 'X-A' => '12' ], MISS => '12|' ],
    [ [ 'X-B' => '12' ], MISS => '|12' ],
    [ [ 'X-A' => '1, X-B: 2' ], MISS => '1, X-B: 2|' ],
    [ [ 'X-A' => '1', 'X-B' => '2' ], HIT => '1|2' ],
    [ [ 'X-B' => '12' ], HIT => '|12' ]);

# (codings are folded, see 210: a response says which one it has)
expect_sequence('/030/encoding', [ vary => 'Accept-Encoding', echo => 'Accept-Encoding',
    h => 'Content-Encoding: x-unknown' ],
    [ [ 'Accept-Encoding' => 'gzip' ], MISS => 'gzip' ],
    [ [ 'Accept-Encoding' => 'br' ], MISS => 'br' ],
    [ [], MISS => '' ],
    [ [ 'Accept-Encoding' => 'gzip' ], HIT => 'gzip' ],
    [ [ 'Accept-Encoding' => 'br' ], HIT => 'br' ],
    [ [], HIT => '' ]);

# Vary: * says that no request is like another
for my $vary ('*', 'Accept-Language, *') {
    my $path = '/030/star' . ($vary eq '*' ? '' : '-list');
    from_origin($path, 2, "Vary: $vary, twice", sub {
        fetch(target($path, vary => $vary, cc => 'max-age=600')) for 1 .. 2;
    });
}

# many variants, all kept
my @languages = map { "l$_" } 1 .. 30;
my $many = target('/030/many', cc => 'max-age=600', vary => 'Accept-Language',
    echo => 'Accept-Language', body => 500);
for my $round (1, 2) {
    my $bad = 0;
    from_origin('/030/many', $round == 1 ? 30 : 0, "30 variants, round $round", sub {
        for my $language (@languages) {
            my $response = fetch($many, headers => [ 'Accept-Language' => $language ]);
            $bad++ if $response->content
                ne body_of('/030/many', size => 500, variant => $language);
        }
    });
    is($bad, 0, "the right bodies in round $round");
}

# CacheStorerMaxVariants 3: the ones that are used least give way, of these the ones stored longest ago
my @bounded = (host => 'variants.test');
expect_sequence('/030/bound', [ vary => 'X-Group', echo => 'X-Group' ],
    (map { [ [ 'X-Group' => $_ ], MISS => $_, @bounded ] } 1 .. 5),
    (map { [ [ 'X-Group' => $_ ], HIT => $_, @bounded ] } 3 .. 5),
    [ [ 'X-Group' => 1 ], MISS => 1, @bounded ],
    (map { [ [ 'X-Group' => $_ ], HIT => $_, @bounded ] } 4, 5, 1),
    [ [ 'X-Group' => 3 ], MISS => 3, @bounded ]);
expect_sequence('/030/use', [ vary => 'X-Group', echo => 'X-Group' ],
    (map { [ [ 'X-Group' => $_ ], MISS => $_, @bounded ] } 1, 2),
    (map { [ [ 'X-Group' => $_ ], HIT => $_, @bounded ] } 1, 2),
    (map { [ [ 'X-Group' => $_ ], MISS => $_, @bounded ] } 11 .. 30),
    (map { [ [ 'X-Group' => $_ ], HIT => $_, @bounded ] } 1, 2, 30));

# ---- a Vary that changes -------------------------------------------------------------------------

my @no_cache = ('Cache-Control' => 'no-cache');
my $changing = '/030/changing';
expect_sequence($changing, [ vary => 'Accept-Language', echo => 'Accept-Language' ],
    [ [ 'Accept-Language' => 'en' ], MISS => 'en' ],
    [ [ 'Accept-Language' => 'de' ], MISS => 'de' ]);
control($changing, vary => 'X-Group', echo => 'X-Group', seed => 2);
my $target = target($changing, body => 700, cc => 'max-age=600', vary => 'Accept-Language',
    echo => 'Accept-Language');

my $response = fetch($target,
    headers => [ @no_cache, 'Accept-Language' => 'fr', 'X-Group' => 'a' ]);
is_body($response, $changing, size => 700, seed => 2, variant => 'a',
    name => 'a Vary of other names');
$response = fetch($target, headers => [ 'Accept-Language' => 'xx', 'X-Group' => 'a' ]);
is_cache($response, 'HIT', 'the same group in another language');
is_body($response, $changing, size => 700, seed => 2, variant => 'a');
$response = fetch($target, headers => [ 'Accept-Language' => 'en', 'X-Group' => 'a' ]);
is_cache($response, 'HIT', 'a request that two variants fit');
is_body($response, $changing, size => 700, seed => 2, variant => 'a',
    name => 'is given the later one');
$response = fetch($target, headers => [ 'Accept-Language' => 'fr', 'X-Group' => 'b' ]);
is_cache($response, 'MISS', 'a request that none fits');
is_body($response, $changing, size => 700, seed => 2, variant => 'b');

# Vary comes, and goes
control('/030/comes', vary => 'X-Group', echo => 'X-Group', seed => 2);
my $comes = target('/030/comes', body => 700, cc => 'max-age=600');
control('/030/comes');
is_body(fetch($comes), '/030/comes', size => 700, name => 'stored without Vary');
control('/030/comes', vary => 'X-Group', echo => 'X-Group', seed => 2);
fetch($comes, headers => [ @no_cache, 'X-Group' => 'a' ]);
$response = fetch($comes, headers => [ 'X-Group' => 'a' ]);
is_cache($response, 'HIT', 'stored again with Vary');
is_body($response, '/030/comes', size => 700, seed => 2, variant => 'a');
control('/030/comes', seed => 3);
fetch($comes, headers => [ @no_cache, 'X-Group' => 'c' ]);
$response = fetch($comes, headers => [ 'X-Group' => 'd' ]);
is_cache($response, 'HIT', 'stored without again');
is_body($response, '/030/comes', size => 700, seed => 3);

finish();
