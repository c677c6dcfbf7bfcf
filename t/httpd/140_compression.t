# SPDX-License-Identifier: Apache-2.0
#
# CacheStorerCompression: what the client gets is the same as without.
use strict;
use warnings;

use Storer::Test;
use Test::More;

for my $host (qw(lz4.test uncompressed.test)) {
    my @host = (host => $host);
    for my $size (0, 1, 100, 5000, 65_535, 65_536, 65_537, 300_000, 3_000_000) {
        for my $framing (qw(length chunked)) {
            my $path = "/140/$host/$framing/$size";
            my $target = target($path, body => $size, cc => 'max-age=600', etag => '"v1"',
                ct => 'text/html', $framing eq 'chunked' ? (chunked => 1) : ());
            from_origin($path, 1, "$host, $size bytes, $framing", sub {
                for my $want (qw(MISS HIT HIT)) {
                    my $response = fetch($target, @host);
                    is_cache($response, $want, $path);
                    is_body($response, $path, size => $size, name => "$path, $want");
                    is($response->header('Content-Encoding'), undef, 'no Content-Encoding');
                }
            });
            next if $size < 5000;
            my $whole = body_of($path, size => $size);
            for my $range ([ 0, 0 ], [ 4000, 4063 ], [ $size - 100, $size - 1 ]) {
                my ($from, $to) = @$range;
                my $response = fetch($target, @host, headers => [ Range => "bytes=$from-$to" ]);
                is($response->status, 206, "Range $from-$to");
                ok($response->content eq substr($whole, $from, $to - $from + 1), 'its bytes');
            }
            my $head = fetch($target, @host, method => 'HEAD');
            is_cache($head, 'HIT', 'HEAD');
            is($head->header('Content-Length'), $size, 'the length is that of the content');
            is(fetch($target, @host, headers => [ 'If-None-Match' => '"v1"' ])->status, 304,
                'If-None-Match');
            my $again = fetch($target, @host, headers => [ 'Cache-Control' => 'max-age=0' ]);
            is_cache($again, 'REVALIDATE', $path);
            is_body($again, $path, size => $size, name => "$path, revalidated");
            is_body(fetch($target, @host), $path, size => $size, name => "$path, after that");
        }
    }
}

# content that says it is compressed already is passed on as it is
for my $parameters ([ ct => 'image/jpeg' ], [ ct => 'application/zip' ],
    [ h => 'Content-Encoding: gzip', vary => 'Accept-Encoding' ]) {
    my ($name) = $parameters->[1] =~ /(\w+)\z/;
    my $path = "/140/kind/$name";
    my $target = target($path, body => 50_000, cc => 'max-age=600', @$parameters);
    for my $want (qw(MISS HIT)) {
        my $response = fetch($target, host => 'lz4.test');
        is_cache($response, $want, $name);
        is_body($response, $path, size => 50_000, name => "$name: the body");
    }
}

# who reads slowly, and who leaves, while it is decompressed
my $target = target('/140/slow', body => '2M', cc => 'max-age=600');
fetch($target, host => 'lz4.test');
my @readers = map { connection(receive_buffer => 8192) } 1 .. 4;
for my $reader (@readers) {
    $reader->send(GET => $target, host => 'lz4.test', headers => [ Connection => 'close' ]);
    is_cache($reader->head, 'HIT', 'a slow reader');
    $reader->body(10_000);
}
$_->abort for splice @readers, 0, 2;
control('/140/slow', seed => 2);
fetch($target, host => 'lz4.test', headers => [ 'Cache-Control' => 'no-cache' ]);
is_body($_->body, '/140/slow', size => '2M', name => 'gets all of the old body') for @readers;
is_body(fetch($target, host => 'lz4.test'), '/140/slow', size => '2M', seed => 2);

finish();
