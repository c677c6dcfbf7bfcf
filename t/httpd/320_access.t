# SPDX-License-Identifier: Apache-2.0
#
# CacheStorerAccess: a page that access control gives to some clients only is given to no other client by
# the cache. Each form of access control, with CacheQuickHandler on and off (conf/access-rules.conf);
# 127.0.0.1 is let in, and 127.0.0.5 is the stranger.
use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha1_base64);
use File::Path qw(make_path);
use MIME::Base64 qw(encode_base64);
use Storer::Test;
use Test::More;

umask 022;
my $conf = vars()->{t_conf};
my $files = vars()->{documentroot} . '/320/files';

# A page that has been there for long: a file just written has no freshness.
sub page {
    my ($path) = @_;
    utime time - 864_000, time - 864_000, write_file("$files/$path", "<p>The page $path.</p>");
    return;
}

for my $folder (qw(directory single folder htaccess htaccess-order later)) {
    make_path("$files/$folder");
    page("$folder/page.html");
}
page('error.html');
write_file("$conf/access-users", 'alice:{SHA}' . sha1_base64('secret') . "=\n");
write_file("$conf/access-digest", 'alice:inside:' . md5_hex('alice:inside:secret') . "\n");
write_file("$files/htaccess/.htaccess", "Require ip 127.0.0.1\n");
write_file("$files/htaccess-order/.htaccess", "Order deny,allow\nDeny from all\nAllow from 127.0.0.1\n");

# mod_authz_core and mod_access_compat say that they refuse the stranger
expect_log(qr/authz_core:error.*AH01630/, qr/access_compat:error.*AH01797/);

my @stranger = (from => '127.0.0.5');

sub digest_of {
    my ($host, $target) = @_;
    my $challenge = fetch($target, host => $host)->header('WWW-Authenticate') || '';
    my ($nonce) = $challenge =~ /nonce="([^"]+)"/ or return '';
    my $answer = md5_hex(join ':', md5_hex('alice:inside:secret'), $nonce, '00000001', 'c', 'auth',
        md5_hex("GET:$target"));
    return qq(Digest username="alice", realm="inside", nonce="$nonce", uri="$target", qop=auth, )
        . qq(nc=00000001, cnonce="c", response="$answer");
}

my %credentials = (
    basic   => sub { [ Authorization => 'Basic ' . encode_base64('alice:secret', '') ] },
    digest  => sub { [ Authorization => digest_of(@_) ] },
    session => sub { [ Cookie => 'session=inside-user=alice&inside-pw=secret' ] },
    field   => sub { [ 'X-Pass' => 'open' ] },
);

# Who is let in.
sub insider {
    my ($host, $kind, $target) = @_;
    my $headers = $credentials{$kind} ? $credentials{$kind}->($host, $target) : [];
    return fetch($target, host => $host, headers => $headers);
}

# @return what the stranger gets: nothing, the page, or the page without a question to the origin
sub stranger {
    my ($host, $target) = @_;
    my $response = fetch($target, host => $host, @stranger);
    return $response->status == 200 ? $response->cache : 'refused';
}

my @kinds = qw(ip not-ip nested expr field env alias limit limit-except merged merged/or merged/and
    inherited inherited/below condition condition-not
    condition-else condition-nested rewrite match proxy front basic digest session order deny satisfy);
my %has_user = map { $_ => 1 } qw(basic digest session);
my $leaks = 0;

for my $host ('access-on.test', 'access-off.test') {
    my $quick = $host eq 'access-on.test';
    for my $kind (@kinds) {
        # whether the next request of somebody who is let in is a hit
        my %expected = (
            'max-age=600'         => $quick || $has_user{$kind} ? 'MISS' : 'HIT',
            'public, max-age=600' => 'HIT',
        );
        for my $control (sort keys %expected) {
            my $public = $control =~ /public/;
            my $target = target("/320/$kind/" . ($public ? 'public' : 'page'), cc => $control,
                etag => 'auto');
            my $name = "$host, $kind, $control";
            is(insider($host, $kind, $target)->status, 200, "$name: who is let in gets it");
            my $got = stranger($host, $target);
            is($got, $quick && $public ? 'HIT' : 'refused', "$name: the stranger");
            $leaks++ if $got ne 'refused' && !$public;
            is_cache(insider($host, $kind, $target), $expected{$control}, "$name: once more");
            $leaks++ if !$public && stranger($host, $target) ne 'refused';
        }
    }
}
is($leaks, 0, 'nothing has leaked');

# ---- what is open to everybody is stored as ever --------------------------------------------------

for my $host ('access-on.test', 'access-off.test') {
    for my $kind (qw(open rewrite-elsewhere granted legacy-granted ip/opened merged/off limit-post order/opened)) {
        my $target = target("/320/$kind/page", cc => 'max-age=600');
        insider($host, $kind, $target);
        is(stranger($host, $target), 'HIT', "$host, $kind: stored for everybody");
    }
    my $target = target('/320/ignore/page', cc => 'max-age=600');
    insider($host, 'ignore', $target);
    is(stranger($host, $target), $host eq 'access-on.test' ? 'HIT' : 'refused',
        "$host: CacheStorerAccess ignore leaves it to mod_cache");
    $target = target('/320/ignore/not/page', cc => 'max-age=600');
    insider($host, 'ignore', $target);
    is(stranger($host, $target), 'refused', "$host: and check below it does not");
}

# ---- files, .htaccess, and what a request becomes -------------------------------------------------

for my $host ('access-on.test', 'access-off.test') {
    for my $path (qw(directory/page.html single/page.html htaccess/page.html
        htaccess-order/page.html folder/)) {
        my $target = "/320/files/$path";
        is(insider($host, 'file', $target)->status, 200, "$host, $path: who is let in gets it");
        is(stranger($host, $target), 'refused', "$host, $path: the stranger does not");
        is_cache(insider($host, 'file', $target), $host eq 'access-on.test' ? 'MISS' : 'HIT',
            "$host, $path: once more");
        is(stranger($host, $target), 'refused', "$host, $path: nor then");
    }
    # a refusal is not stored for those who are let in
    my $target = '/320/files/directory/refused.html';
    page('directory/refused.html');
    is(stranger($host, $target), 'refused', "$host: the stranger comes first");
    is(insider($host, 'file', $target)->status, 200, "$host: who is let in gets the page");
}

# ---- a page that is closed later ------------------------------------------------------------------

{
    my ($host, $target) = ('access-on.test', '/320/files/later/page.html');
    insider($host, 'file', $target);
    is(stranger($host, $target), 'HIT', 'an open page is stored');
    write_file("$files/later/.htaccess", "Require ip 127.0.0.1\n");
    my $response = fetch($target, host => $host, headers => [ 'Cache-Control' => 'max-age=0' ]);
    is($response->status, 200, 'it is closed, and revalidated by who is let in');
    is(stranger($host, $target), 'refused', 'the stranger does not get it any more');
}

# ---- a quick handler that is switched on over a store that was filled without --------------------

{
    my $target = target('/320/ip/switched', cc => 'max-age=600');
    insider('access-off.test', 'ip', $target);
    is_cache(insider('access-off.test', 'ip', $target), 'HIT', 'stored with CacheQuickHandler off');
    is(stranger('access-switched.test', $target), 'refused', 'the quick handler does not serve it');
    is(insider('access-switched.test', 'ip', $target)->status, 200, 'who is let in gets it');
    is(stranger('access-switched.test', $target), 'refused', 'nor is it stored then');
    $target = target('/320/open/switched', cc => 'max-age=600');
    insider('access-off.test', 'open', $target);
    is(stranger('access-switched.test', $target), 'HIT', 'what is open is served');
}

# ---- the directives of other modules are still theirs ---------------------------------------------

{
    my $modules = join '', grep { !/mod_(?:access_compat|cache_storer)\.so/ }
        map { "$_\n" } split /\n/, do { local (@ARGV, $/) = "$conf/modules.conf"; <> };
    my ($storer) = do { local (@ARGV, $/) = "$conf/modules.conf"; <> } =~ /^(.*mod_cache_storer\.so.*)$/m;
    my $server = "ServerName localhost\nListen 127.0.0.1:" . vars()->{port} . "\n";
    for my $case ([ Order => 'deny,allow' ], [ Deny => 'from all' ], [ Allow => 'from all' ],
        [ Satisfy => 'Any' ], [ SSLRequire => 'true' ], [ SSLVerifyClient => 'require' ]) {
        my ($name, $value) = @$case;
        my ($status, $output) = run_httpd(
            "$modules$storer\n$server<Location />\n$name $value\n</Location>\n", '-t');
        isnt($status, 0, "$name without its module is refused");
        like($output, qr/Invalid command '$name', perhaps misspelled or defined by a module not/,
            'in the words of httpd');
    }
    my ($status, $output) = run_httpd("$modules$storer\n$server" . "CacheStorerAccess perhaps\n", '-t');
    isnt($status, 0, 'CacheStorerAccess perhaps');
    like($output, qr/CacheStorerAccess: 'perhaps' is neither check nor ignore/, 'is told');
}

finish();
