# Perl Protocol::WebSocket as a server for `hybi connect`, one connection after the other.
#
# server.pl: prints its URL, and for each connection that ends one JSON line: the path, the version
# by its name for it, the subprotocol, the number of messages, the close code (1005 for a close
# without, 1006 for none) and reason.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP;
use Protocol::WebSocket::Handshake::Server;

$| = 1;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8) or die "listen: $@";
printf "listening ws://127.0.0.1:%d\n", $listener->sockport;
while (my $socket = $listener->accept) {
    my $report = eval { converse($socket) };
    if ($report) { print encode_json($report), "\n" }
    else         { warn $@ }
}

sub converse {
    my ($socket) = @_;
    my $handshake = Protocol::WebSocket::Handshake::Server->new;
    until ($handshake->is_done) {
        sysread($socket, my $request, 1 << 16) or die "no whole request\n";
        $handshake->parse($request) or die $handshake->error, "\n";
    }
    $handshake->res->subprotocol($handshake->req->subprotocol);
    print {$socket} $handshake->to_string;

    my %report = (
        path => $handshake->req->resource_name,
        version => $handshake->version,
        subprotocol => $handshake->res->subprotocol,
        messages => 0,
        code => $handshake->version eq 'draft-hixie-75' ? 1005 : 1006,
        reason => '',
    );
    my ($closed, $pings) = (0, 0);
    # By default no payload may exceed 64 KiB.
    my $send = sub {
        my ($type, $payload) = @_;
        my %frame = (type => $type, buffer => $payload, max_payload_size => 0);
        print {$socket} $handshake->build_frame(%frame)->to_bytes;
    };
    $send->('ping', 'are you there') if $report{path} eq '/ping';
    if ($report{path} eq '/close') {
        return \%report if $handshake->version eq 'draft-hixie-75';
        $send->('close', pack 'na*', 4004, 'server says so');
        $closed = 1;
    }

    my $frames = $handshake->build_frame(max_payload_size => 0);
    while (sysread $socket, my $bytes, 1 << 16) {
        $frames->append($bytes);
        while (defined(my $payload = $frames->next_bytes)) {
            if ($frames->is_close) {
                $send->('close', $payload) unless $closed;
                @report{qw(code reason)} = length $payload ? unpack 'na*', $payload : (1005, '');
                return \%report;
            }
            elsif ($frames->is_pong) {
                $send->('text', $payload eq 'are you there' ? 'answered' : $payload);
            }
            elsif ($frames->is_ping) {
                $send->('pong', $payload);
                $send->('text', 'pinged') if $report{path} eq '/pinged' && !$pings++;
            }
            else {
                $report{messages} += 1;
                $send->($frames->is_binary ? 'binary' : 'text', $payload);
            }
        }
    }
    return \%report;
}
