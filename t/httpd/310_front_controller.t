# SPDX-License-Identifier: Apache-2.0
#
# A response is stored under the URL that the client asked for, whatever httpd made of it: rewrites of a
# .htaccess and of a virtual host, FallbackResource, DirectoryIndex, MultiViews, Action, a script's local
# redirect, ErrorDocument; with mod_cache as a quick handler and as a normal one.
use strict;
use warnings;

use JSON::PP ();
use Storer::Front qw(install check_site is_page run_of);
use Storer::Test;
use Test::More;

my $documents = vars->{documentroot};
my @pass = (headers => [ 'X-Pass' => 'open' ]);

expect_log(qr/authz_core:error.*AH01630: client denied/);
install($documents, "$documents/310/front.cgi");

for my $host ('front-quick.test', 'front-handler.test') {
    my $fetch = sub { fetch(@_, host => $host) };
    my $is_quick = $host =~ /quick/;
    note($host);

    # ---- front controllers -----------------------------------------------------------------------

    my $targets = check_site($fetch, '/310/wordpress', 200);
    check_site($fetch, "/310/$_", 40) for qw(drupal drupal7 fallback passed filed);

    my $keys = JSON::PP->new->decode($fetch->('/310/admin/cache/')->content);
    ok((grep { $_ eq "http://$host$$targets[5]" } map { ref ? $$_{key} : $_ } @$keys),
        'the admin API lists the URL');
    ok(!(grep { /index\.php/ } map { ref ? $$_{key} : $_ } @$keys), 'and not the front controller');
    my $purge = JSON::PP->new->encode({ type => 'uri', selectors => ["http://$host$$targets[6]"] });
    is($fetch->('/310/admin/cache/', method => 'POST', body => $purge,
        headers => [ 'Content-Type' => 'application/json' ])->status, 200, 'its purge of a URL');
    is_cache($fetch->($$targets[6]), 'MISS', 'reaches it');
    is_cache($fetch->($$targets[5]), 'HIT', 'and no other one');

    # ---- the controller itself, files, and what is a part of both -------------------------------------

    is_page($fetch->('/310/wordpress/index.php'), '/310/wordpress/index.php', 'the controller itself');
    is($fetch->('/310/wordpress/file.html')->content, "a file of the site\n", 'a file');
    is_page($fetch->('/310/wordpress/new'), '/310/wordpress/new', 'after both, a new URL');

    # ---- DirectoryIndex ------------------------------------------------------------------------------

    for my $path (qw(/310/index/ /310/index/index.php /310/index/?a=1)) {
        my $first = $fetch->($path);
        is_page($first, $path, "$path is a page of its own");
        is(run_of($fetch->($path)), run_of($first), 'and a hit');
    }

    # ---- MultiViews ----------------------------------------------------------------------------------

    for my $language (qw(en de en de)) {
        my $response = $fetch->('/310/multi/page', headers => [ 'Accept-Language' => $language ]);
        is($response->content, "in $language\n", "negotiated: $language");
    }
    is($fetch->('/310/multi/page.html.en')->content, "in en\n", 'what was negotiated, by its own URL');
    is($fetch->('/310/multi/page.html.de', headers => [ 'Accept-Language' => 'en' ])->content, "in de\n",
        'in any language');

    # ---- Action and local redirects ------------------------------------------------------------------

    for my $path ('/310/acted/a', '/310/acted/b') {
        my ($first, $second) = map { $fetch->($path) } 1, 2;
        is_page($_, $path, "$path: its own page") for $first, $second;
        # the redirect passes by the quick handler
        is(run_of($first) eq run_of($second) ? 1 : 0, $is_quick ? 0 : 1,
            $is_quick ? 'made each time' : 'and a hit');
    }
    my @local = map { '/310/fallback/local?to=/310/wordpress/' . $_ } 'x', 'y';
    my %runs;
    for my $path (@local, @local) {
        my $response = $fetch->($path);
        ok(run_of($response), "$path: a page");
        $runs{run_of($response)}{$path} = 1;
    }
    is((grep { keys %$_ > 1 } values %runs), 0, 'which no other URL has');
    my $posted = '/310/fallback/local?to=/310/wordpress/posted';
    my $made = run_of($fetch->($posted, method => 'POST', body => 'x=1'));
    isnt(run_of($fetch->($posted)), $made, 'what a POST leads to is not what a GET of its URL gets');
    is_page($fetch->('/310/fallback/index.php'), '/310/fallback/index.php',
        'and the script by its own URL');

    # ---- what is stored for its own URL does not stand in for what a module looks up ------------------

    for my $folder (qw(fallback index)) {
        my $script = "/310/$folder/index.php";
        is_page($fetch->($script), $script, "$script, stored") for 1, 2;
        my $path = $folder eq 'index' ? '/310/index/' : '/310/fallback/later';
        $fetch->($path, method => 'PURGE', @pass);
        is_page($fetch->($path), $path, "$path after it");
    }
    is_page($fetch->('/310/wordpress/x'), '/310/wordpress/x', 'and what a local redirect leads to');

    # ---- ErrorDocument -------------------------------------------------------------------------------

    for my $path ('/310/errors/none', '/310/errors/missing.html', '/310/errors/neither') {
        my $is_page = $path =~ /missing/;
        for my $time (1, 2) {
            my $response = $fetch->($path);
            is($response->status, $is_page ? 200 : 404, "$path, time $time");
            is($response->content, "not here\n", 'the same text');
        }
    }
    my $closed = '/310/errors/forbidden';
    is($fetch->($closed)->status, 403, 'what is closed');
    is($fetch->($closed, @pass)->status, 404, 'to others it is not there');
    is($fetch->($closed)->status, $_, "again: $_") for $is_quick ? () : 403;
    is($fetch->('/310/errors/missing.html')->status, 200, 'and the page for errors is a page');
}

finish();
