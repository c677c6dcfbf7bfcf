dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl storer.m4 - for the configure.ac of an engine that is built outside of mod_cache_storer's tree.
dnl Installed.

dnl STORER_ENGINE([VERSION], [IF-FOUND], [IF-NOT-FOUND])
dnl
dnl Finds storer.h (of VERSION or later) and the httpd it was installed for, and substitutes
dnl
dnl   STORER_CFLAGS      for the preprocessor: storer.h and APR's headers
dnl   STORER_APXS        the apxs of that httpd
dnl   STORER_HTTPD_CPPFLAGS  httpd's own headers, for the file with the module record
dnl   STORER_MODULEDIR   where its modules are
dnl
dnl There is nothing to link. Without IF-NOT-FOUND it is an error if storer.h is not there.
AC_DEFUN([STORER_ENGINE], [
  AC_REQUIRE([PKG_PROG_PKG_CONFIG])
  PKG_CHECK_MODULES([STORER], [storer m4_ifval([$1], [>= $1])], [
    PKG_CHECK_VAR([STORER_APXS], [storer], [apxs])
    PKG_CHECK_VAR([STORER_MODULEDIR], [storer], [moduledir])
    STORER_HTTPD_CPPFLAGS="-I`"$STORER_APXS" -q INCLUDEDIR` `"$STORER_APXS" -q EXTRA_CPPFLAGS`"
    AC_SUBST([STORER_HTTPD_CPPFLAGS])
    $2
  ], m4_ifval([$3], [[$3]], []))
])
