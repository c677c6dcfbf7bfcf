# SPDX-License-Identifier: Apache-2.0
#
# Content filters before and behind what is stored.
use strict;
use warnings;

use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use Storer::Test;
use Test::More;

my @gzip = ('Accept-Encoding' => 'gzip');

sub unzipped {
    my $response = shift;
    my $text;
    my $bytes = $response->content;
    gunzip(\$bytes, \$text) or return "not gzip: $GunzipError";
    return $text;
}

sub is_gzip_of {
    my ($response, $path, $size, $name) = @_;
    is($response->header('Content-Encoding'), 'gzip', "$name: Content-Encoding");
    like($response->header('Vary') || '', qr/Accept-Encoding/i, "$name: Vary");
    ok($response->complete, "$name: whole");
    ok(unzipped($response) eq body_of($path, size => $size), "$name: the right body in it");
    return;
}

for my $size (1000, 200_000) {
    # compressed, then stored: two variants, compressed once
    my $path = "/110/first/$size";
    my @first = (host => 'deflate-first.test');
    my $target = target($path, body => $size, cc => 'max-age=600', etag => '"v1"');
    from_origin($path, 2, "$size bytes, stored behind mod_deflate", sub {
        for my $want (qw(MISS HIT HIT)) {
            my $response = fetch($target, @first, headers => \@gzip);
            is_cache($response, $want, 'with gzip');
            is_gzip_of($response, $path, $size, "$want with gzip");
            $response = fetch($target, @first);
            is_cache($response, $want, 'without gzip');
            is($response->header('Content-Encoding'), undef, "$want without gzip: no encoding");
            is_body($response, $path, size => $size);
        }
    });
    my $whole = fetch($target, @first, headers => \@gzip);
    my $range = fetch($target, @first, headers => [ @gzip, Range => 'bytes=10-19' ]);
    is($range->status, 206, 'a range of the compressed body');
    is($range->content, substr($whole->content, 10, 10), 'its bytes');
    is(fetch($target, @first, method => 'HEAD', headers => \@gzip)->header('Content-Encoding'),
        'gzip', 'HEAD of the compressed body');

    # stored, then compressed for whoever wants that
    $path = "/110/last/$size";
    my @last = (host => 'deflate-last.test');
    $target = target($path, body => $size, cc => 'max-age=600');
    from_origin($path, 1, "$size bytes, stored before mod_deflate", sub {
        my $response = fetch($target, @last);
        is_cache($response, 'MISS', 'the first');
        is_body($response, $path, size => $size);
        for (1, 2) {
            $response = fetch($target, @last, headers => \@gzip);
            is_cache($response, 'HIT', 'with gzip');
            is_gzip_of($response, $path, $size, 'compressed on its way');
            $response = fetch($target, @last);
            is_cache($response, 'HIT', 'without gzip');
            is_body($response, $path, size => $size);
        }
    });
}

# a filter that changes what was stored, on every hit anew: the stored bytes are not touched
my @substitute = (host => 'substitute.test');
my $target = target('/110/text', text => 'winter is followed by winter', cc => 'max-age=600',
    ct => 'text/plain');
for my $want (qw(MISS HIT HIT HIT)) {
    my $response = fetch($target, @substitute);
    is_cache($response, $want, 'substituted');
    is($response->content, 'summer is followed by summer', "$want: substituted once");
}

finish();
