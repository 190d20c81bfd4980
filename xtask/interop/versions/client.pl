# Perl Protocol::WebSocket as a client of `hybi serve`.
#
# client.pl URL VERSION: speaks the version of that name and prints one JSON line for each check:
# its name, the target of its connection, and the close code (1005 for a close without) or HTTP
# status that the server must have seen. The last check prints "waiting" first and ends when the
# server goes away.

use strict;
use warnings;
use utf8;

use Encode qw(encode);
use IO::Socket::INET;
use JSON::PP;
use Protocol::WebSocket::Handshake::Client;

my ($url, $version) = @ARGV;
my $hixie = $version !~ /hybi-1/;
my $checks = 0;
$| = 1;
# Ends this program, with that as its reason, when the other end hangs.
$SIG{ALRM} = sub { die "nothing came in time\n" };

# A connection: its target has a mark by which the access log finds this check.
sub dial {
    my ($path, $subprotocol) = @_;
    alarm 20;
    my $target = $path . ($path =~ /\?/ ? '&' : '?') . 'check=' . ++$checks;
    my $handshake = Protocol::WebSocket::Handshake::Client->new(
        url => $url . $target,
        version => $version,
    );
    $handshake->req->subprotocol($subprotocol);
    my ($address) = $url =~ m{//(.*)};
    my $socket = IO::Socket::INET->new($address) or die "connect: $@";
    print {$socket} $handshake->to_string;
    my $rest = '';
    until ($handshake->is_done) {
        sysread($socket, $rest, 1 << 16) or die "no whole response\n";
        $handshake->parse($rest) or return { target => $target, error => $handshake->error };
    }
    # By default no payload may exceed 64 KiB.
    my $frames = $handshake->build_frame(max_payload_size => 0);
    $frames->append($rest);
    return { target => $target, socket => $socket, handshake => $handshake, frames => $frames };
}

sub post {
    my ($ws, $type, $payload, %more) = @_;
    my %frame = (type => $type, buffer => $payload, max_payload_size => 0, %more);
    print { $ws->{socket} } $ws->{handshake}->build_frame(%frame)->to_bytes;
}

# The type and payload of the next frame or message; of the end of input, nothing.
sub hear {
    my ($ws) = @_;
    my %types = reverse %Protocol::WebSocket::Frame::TYPES;
    while (1) {
        my $payload = $ws->{frames}->next_bytes;
        return ($types{ $ws->{frames}->opcode }, $payload) if defined $payload;
        sysread($ws->{socket}, my $bytes, 1 << 16) or return;
        $ws->{frames}->append($bytes);
    }
}

sub same {
    my ($what, $got, $wanted) = @_;
    die sprintf "%s: %.200s, not %.200s\n", $what, $got // 'none', $wanted if ($got // '') ne $wanted;
}

sub echo {
    my ($ws, $type, $payload) = @_;
    post($ws, $type, $payload);
    my ($back, $echo) = hear($ws);
    same('type', $back, $type);
    same('echo', $echo, $payload);
}

# The code that came (hixie-75 closes with the end itself), once the server has closed its side.
sub gone {
    my ($ws) = @_;
    my $code = $version eq 'draft-hixie-75' ? 1005 : 1006;
    while (my ($type, $payload) = hear($ws)) {
        same('type', $type, 'close');
        $code = unpack('n', $payload) // 1005;
    }
    return $code;
}

# Closes with this code, or as the version can, and waits for the server to do the same.
sub hang_up {
    my ($check, $ws, $code) = @_;
    if ($version eq 'draft-hixie-75') { shutdown $ws->{socket}, 1 }
    else                              { post($ws, 'close', pack 'n', $code) }
    $code = 1005 if $hixie;
    same('code', gone($ws), $code);
    done($check, $ws, code => $code);
}

# Waits for the server to close and answers; the code and reason of its close.
sub left {
    my ($ws) = @_;
    my ($type, $payload) = hear($ws);
    same('what came', $type // 'end', $version eq 'draft-hixie-75' ? 'end' : 'close');
    post($ws, 'close', $payload) if $type;
    return length($payload // '') ? unpack 'na*', $payload : (1005, '');
}

sub done {
    my ($check, $ws, %seen) = @_;
    print encode_json({ check => $check, target => $ws->{target}, %seen }), "\n";
}

my $text = encode('UTF-8', 'Grüße, 世界 👋');
my $ws = dial('/echo');
echo($ws, 'text', $_) for 'hello', '', $text, map { 'x' x $_ } 125, 126, 65_535, 65_536;
echo($ws, 'text', $text x 10_000);
hang_up('text comes back', $ws, 1000);

if (!$hixie) {
    $ws = dial('/echo');
    my $bytes = pack 'C*', 0 .. 255;
    echo($ws, 'binary', $_) for '', $bytes, $bytes x 256, $bytes x 800;
    hang_up('binary comes back', $ws, 1000);

    $ws = dial('/echo');
    post($ws, 'ping', 'are you there');
    my ($type, $payload) = hear($ws);
    same('type', $type, 'pong');
    same('payload', $payload, 'are you there');
    hang_up('ping is answered', $ws, 1000);

    $ws = dial('/echo');
    post($ws, 'text', 'frag', fin => 0);
    post($ws, 'continuation', '', fin => 0);
    post($ws, 'continuation', 'mented');
    ($type, $payload) = hear($ws);
    same('echo', $payload, 'fragmented');
    hang_up('fragments come back as one message', $ws, 1000);
}

$ws = dial('/echo', 'chat');
same('subprotocol', $ws->{handshake}->res->subprotocol, 'chat');
hang_up('the subprotocol is agreed', $ws, 1000);

hang_up('the client closes', dial('/echo'), 4001);

$ws = dial('/close?code=4002&reason=enough');
my ($code, $reason) = left($ws);
same('code', $code, $hixie ? 1005 : 4002);
same('reason', $reason, $hixie ? '' : 'enough');
done('the server closes', $ws, code => $code);

$ws = dial('/nowhere');
same('error', ($ws->{error} // '') =~ /\[\[HTTP\/1\.1 404/ ? 404 : $ws->{error}, 404);
done('an unknown path is refused with 404', $ws, status => 404);

$ws = dial('/echo');
echo($ws, 'text', 'still here');
print "waiting\n";
($code) = left($ws);
same('code', $code, $hixie ? 1005 : 1001);
done('a server that ends says so', $ws, code => $code);
