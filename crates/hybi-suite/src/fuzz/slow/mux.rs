//! A slow reader of messages of the multiplexing extension, from the notes on its drafts: one field after the other,
//! bit by bit, as lines of text.

/// What a message says, line by line, and the code of the first rule that it breaks.
pub(in crate::fuzz) fn read(message: &[u8], is_ietf_03: bool) -> (Vec<String>, Option<u16>) {
    let mut reading = Reading { bits: bits(message), is_ietf_03 };
    let mut lines = Vec::new();
    let broken = reading.message(&mut lines).err();
    (lines, broken)
}

fn bits(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect()
}

struct Reading {
    bits: Vec<bool>,
    is_ietf_03: bool,
}

impl Reading {
    /// The next `count` bits as a number.
    fn take(&mut self, count: usize) -> Option<u128> {
        let front: Vec<_> =
            (count <= self.bits.len()).then(|| self.bits.drain(..count).collect())?;
        Some(front.into_iter().fold(0, |number, bit| number * 2 + u128::from(bit)))
    }

    fn octets(&mut self, count: u128) -> Option<Vec<u8>> {
        if count * 8 > self.bits.len() as u128 {
            return None;
        }
        (0..count).map(|_| self.take(8).map(|octet| octet as u8)).collect()
    }

    /// One to four octets; how many, the first bits say.
    fn channel(&mut self) -> Option<u128> {
        let (marks, more) = match (self.take(1)?, self.bits.first(), self.bits.get(1)) {
            (0, ..) => (7, 0),
            (_, Some(false), _) => (7, 8),
            (_, Some(true), Some(false)) => (7, 16),
            (_, Some(true), Some(true)) => (7, 24),
            _ => return None,
        };
        let skip = if more == 0 { 0 } else { (more / 8).min(2) };
        self.take(skip)?;
        let id = self.take(marks - skip + more)?;
        let least = [0, 1 << 7, 1 << 14, 1 << 21][more / 8];
        (id >= least).then_some(id)
    }

    /// A number of a control block, with the two bits in front of it that ietf-03 has.
    fn number(&mut self, size: u128) -> Option<u128> {
        if self.is_ietf_03 {
            return self.take(8 * (size as usize + 1));
        }
        match self.take(8)? {
            short @ 0..=125 => Some(short),
            126 => self.take(16).filter(|number| *number > 125),
            127 => self.take(64).filter(|number| (65_536..1 << 63).contains(number)),
            _ => None,
        }
    }

    fn message(&mut self, lines: &mut Vec<String>) -> Result<(), u16> {
        let channel = self.channel().ok_or(2002_u16)?;
        if channel > 0 {
            let fin = self.take(1).ok_or(2003_u16)?;
            let (rsv, opcode) = (self.take(3).ok_or(2003_u16)?, self.take(4).ok_or(2003_u16)?);
            if ![0, 1, 2, 8, 9, 10].contains(&opcode) {
                return Err(3000);
            }
            let payload = self.octets(self.bits.len() as u128 / 8);
            lines.push(format!("{channel}: frame {fin} {rsv} {opcode} {payload:?}"));
        }
        while !self.bits.is_empty() {
            let line = self.block()?;
            lines.push(line);
        }
        Ok(())
    }

    fn block(&mut self) -> Result<String, u16> {
        const INVALID: u16 = 2005;
        let opcode = self.take(3).ok_or(INVALID)?;
        let flags: Vec<_> = (0..5).filter_map(|_| self.take(1)).collect();
        // The last bits of the first octet, as numbers.
        let two = |at: usize| flags[at] * 2 + flags[at + 1];
        let (encoding, size) = if self.is_ietf_03 { (two(1), two(3)) } else { (two(3), 0) };
        let unused = |bits: &[usize]| bits.iter().all(|&bit| flags[bit] == 0);
        let free: &[usize] = match (opcode, self.is_ietf_03) {
            (0, true) | (4, true) => &[0],
            (1, true) => &[],
            (2, true) => &[0, 1, 2],
            (3, true) => &[1, 2],
            (0, false) => &[0, 1, 2],
            (1, false) => &[1, 2],
            (2 | 3, false) => &[0, 1, 2, 3, 4],
            (4, false) => &[0, 1, 2, 3],
            _ => return Err(2004),
        };
        if !unused(free) {
            return Err(INVALID);
        }
        if opcode < 2 && encoding > 1 {
            return Err(if opcode == 0 { 2010 } else { 2012 });
        }
        if opcode == 4 {
            let slots = self.number(two(1)).ok_or(INVALID)?;
            let quota = self.number(two(3)).ok_or(INVALID)?;
            let is_last = !self.is_ietf_03 && flags[4] == 1;
            if is_last && slots + quota > 0 {
                return Err(INVALID);
            }
            return Ok(format!("slots {slots} of {quota} {is_last}"));
        }
        let channel = self.channel().ok_or(INVALID)?;
        let number = self.number(size).ok_or(INVALID)?;
        if opcode == 2 {
            return Ok(format!("{channel}: quota {number}"));
        }
        let octets = self.octets(number).ok_or(INVALID)?;
        match opcode {
            0 => Ok(format!("{channel}: request {encoding} {octets:?}")),
            1 => Ok(format!("{channel}: response {} {encoding} {octets:?}", flags[0])),
            _ => {
                let (code, text) = match (self.is_ietf_03, &octets[..]) {
                    (false, [high, low, text @ ..]) => {
                        (Some(u16::from(*high) * 256 + u16::from(*low)), text)
                    }
                    (false, [_]) => return Err(INVALID),
                    (true, text) if flags[0] == 0 && !text.is_empty() => return Err(INVALID),
                    (_, text) => (None, text),
                };
                let text = String::from_utf8(text.to_vec()).map_err(|_| INVALID)?;
                Ok(format!("{channel}: drop {code:?} {} {text:?}", flags[0]))
            }
        }
    }
}
