# SPDX-License-Identifier: Apache-2.0
#
# Counters: what each kind of request adds to them, in which forms they are told, to whom, and that
# they are those of all processes and outlive a graceful restart.
use strict;
use warnings;

use JSON::PP ();
use Storer::Prometheus qw(read_metrics);
use Storer::Test;
use Test::More;

my @host = (host => 'stats.test');
my $json = JSON::PP->new->utf8;

sub get { return fetch(shift, @host, @_) }

# The counters of this virtual host, as metrics without their prefix and site.
sub metrics {
    my $response = fetch('/metrics', @host);
    my ($value, @problems) = read_metrics($response->content);
    is(join("\n", @problems), '', 'the metrics are well-formed');
    my %short;
    for my $name (keys %$value) {
        my $short = $name =~ s/\Acache_storer_//r =~ s/site="stats.test",?//r =~ s/\{\}//r;
        $short{$short} = $value->{$name};
    }
    return \%short;
}

# Run the code; the counters must have grown by this, and no other of requests_total.
sub counts {
    my ($name, $want, $code) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before = metrics();
    $code->();
    my $after;
    my $enough = wait_for("the counters of $name", sub {
        $after = metrics();
        return !grep { $after->{$_} - $before->{$_} < $want->{$_} } keys %$want;
    });
    # those that nobody names must stay
    for my $key (grep { /^(?:requests|collapsed|stores|declined|purges)_total/ } sort keys %$after) {
        my $grown = $after->{$key} - $before->{$key};
        is($grown, $want->{$key} || 0, "$name: $key") if $grown || $want->{$key};
    }
    return $after;
}

sub by_result { return map { sprintf 'requests_total{result="%s"}', $_ } @_ }
my ($hit, $stale, $revalidated, $uri_miss, $vary_miss, $stale_miss, $method) =
    by_result(qw(hit stale revalidated uri-miss vary-miss stale-miss method));

my $page = target('/270/page', cc => 'max-age=600', body => 5000, etag => 'auto');
counts('a miss', { $uri_miss => 1, stores_total => 1, 'sent_bytes_total{source="origin"}' => 5000 },
    sub { get($page) });
counts('hits', { $hit => 3, 'sent_bytes_total{source="cache"}' => 15000 }, sub { get($page) for 1 .. 3 });
{
    my $target = target('/270/vary', cc => 'max-age=600', vary => 'X-Group', echo => 'X-Group');
    counts('variants', { $uri_miss => 1, $vary_miss => 1, stores_total => 2, $hit => 1 }, sub {
        get($target, headers => [ 'X-Group' => $_ ]) for qw(a b b);
    });
}
{
    my $target = target('/270/old', cc => 'max-age=600, must-revalidate', etag => 'auto');
    get($target);
    counts('what is purged softly is confirmed', { 'purges_total{kind="soft"}' => 1, $revalidated => 1,
        stores_total => 1 }, sub {
        fetch($target, @host, method => 'PURGE', headers => [ 'Soft-Purge' => 1 ]);
        get($target);
    });
    counts('a hard purge', { 'purges_total{kind="hard"}' => 1, $uri_miss => 1, stores_total => 1 }, sub {
        fetch($target, @host, method => 'PURGE');
        get($target);
    });
    counts('an unsafe request', { 'purges_total{kind="invalidation"}' => 1, $method => 1 },
        sub { get($target, method => 'POST', body => 'x') });
}
counts('not to be stored: by its header', { $uri_miss => 1, 'declined_total{reason="headers"}' => 1 },
    sub { get(target('/270/private', cc => 'private')) });
counts('by a directive', { $uri_miss => 1, 'declined_total{reason="rules"}' => 1 },
    sub { get(target('/270/cookie', cc => 'max-age=600', h => 'Set-Cookie: a=b')) });
{
    my $target = target('/270/herd', cc => 'max-age=600', gate => 'herd');
    counts('a herd', { $uri_miss => 1, $hit => 2, collapsed_total => 2, stores_total => 1 }, sub {
        my @clients = map { connection()->send('GET', $target, @host) } 1 .. 3;
        wait_for('the first at the origin', sub { arrived('herd') });
        open_gate('herd');
        $_->answer for @clients;
        $_->close for @clients;
    });
}

# ---- the forms -----------------------------------------------------------------------------------

{
    my $before = metrics();
    my $told = $json->decode(fetch('/cache-admin/stats', @host)->content);
    is($told->{total}{fresh_hits}, $before->{$hit}, 'JSON has the same numbers');
    cmp_ok($told->{total}{hit_ratio}, '>', 0, 'and the ratio');
    is(@{ $told->{sites} }, 1, 'of this virtual host alone');
    is($told->{sites}[0]{site}, 'stats.test', 'by name');
    cmp_ok($told->{total}{origin_seconds_saved}, '>', 0, 'and what was saved');
    my $all = $json->decode(fetch('/cache-main/stats', address => '127.0.0.2')->content);
    cmp_ok(@{ $all->{sites} }, '>', 3, 'the main server tells of all');
    ok((grep { $_->{site} eq 'stats.test' && $_->{fresh_hits} == $before->{$hit} } @{ $all->{sites} }),
        'with the same numbers');
}
{
    my $auto = fetch('/server-status?auto', @host)->content;
    like($auto, qr/^CacheStorer_fresh_hits: \d+$/m, '/server-status?auto: counters');
    like($auto, qr/^CacheStorer_store_used_bytes: \d+$/m, 'and stores');
    my $html = fetch('/server-status', @host)->content;
    like($html, qr{<h2>mod_cache_storer</h2>.*<td>stats\.test</td>}s, '/server-status: a section');
}
{
    is(fetch('/metrics', @host)->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8',
        'the type of metrics');
    is(fetch('/metrics', @host, method => 'HEAD')->content, '', 'HEAD');
    is(fetch('/metrics', @host, method => 'POST', body => '')->status, 405, 'POST');
    expect_log(qr/CS0521.*cache-storer-metrics is refused for \/metrics-open/);
    is(fetch('/metrics-open', @host)->status, 403, 'nobody, where everybody might');
    my $metrics = metrics();
    ok(exists $metrics->{'store_size_bytes{store="memory"}'}, 'the label of a store does not change with its size')
        or diag join ' ', grep { /store_size/ } keys %$metrics;
    my @lookups = grep { /^lookup_duration_seconds_bucket/ } keys %$metrics;
    is(@lookups, 16, 'the times of look-ups have buckets');
}

# ---- across restarts -----------------------------------------------------------------------------

{
    my $before = metrics();
    graceful();
    my $after = metrics();
    is($after->{$_}, $before->{$_}, "after a graceful restart: $_") for $hit, $uri_miss, 'stores_total';
    counts('and on', { $hit => 1 }, sub { get($page) });
    unlink vars->{t_logs} . '/cache_storer.stats' or die "unlink: $!";
    graceful();
    ok(-s vars->{t_logs} . '/cache_storer.stats', 'a file that was deleted is made anew');
    cmp_ok(metrics()->{$hit}, '>', $after->{$hit}, 'with what was counted before');
}

finish();
