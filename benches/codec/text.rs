//! Text: unmasking and validating beside unmasking alone.

use hybi_benches::{Contender, compare, print_row};
use hybi_frame::{
    Event, FrameDecoder, FrameRules, Limits, MaskingKey, MessageAssembler, Opcode, Role, Rsv,
    encode_frame,
};

use crate::{SIZES, chosen};

pub(crate) fn run(timed: bool) {
    println!("unmask and validate one text message in place; the mask is 0, so that it stays text");
    for (label, size) in chosen(SIZES) {
        let ascii = "The quick brown fox, ".bytes().cycle().take(size).collect::<Vec<u8>>();
        let mixed: String = "κόσμε漢字 ".chars().cycle().take(size / 3).collect();
        let opcodes = [("ascii", &ascii[..]), ("mixed", mixed.as_bytes())];
        let streams = opcodes.map(|(name, text)| (name, text, stream(Opcode::Text, text)));
        let binary = stream(Opcode::Binary, &ascii);
        for (name, text, wire) in &streams {
            check(name, text, wire.clone());
        }
        if timed {
            let [(_, _, ascii_wire), (_, _, mixed_wire)] = streams;
            let mut contenders = [
                Contender::new("binary", receive(binary)),
                Contender::new("ASCII text", receive(ascii_wire)),
                Contender::new("text of 3-byte characters", receive(mixed_wire)),
            ];
            print_row(label, &compare(&mut contenders));
        }
    }
    println!();
}

fn stream(opcode: Opcode, text: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let key = Some(MaskingKey::from_bytes([0; 4]));
    encode_frame(&mut wire, true, Rsv::NONE, opcode, text, key);
    wire
}

fn check(name: &str, text: &[u8], mut wire: Vec<u8>) {
    let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    let mut decoder = FrameDecoder::new(Role::Server, rules, limits);
    let (_, part) = decoder.decode(&mut wire).expect("valid");
    let message = MessageAssembler::new(rules, limits).push(part.expect("whole")).expect("valid");
    let Some(Event::Text(checked)) = message else { panic!("no {name} text") };
    assert!(checked.as_bytes() == text, "{name}");
}

fn receive(mut wire: Vec<u8>) -> impl FnMut(usize) {
    let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    let mut decoder = FrameDecoder::new(Role::Server, rules, limits);
    let mut assembler = MessageAssembler::new(rules, limits);
    move |count| {
        for _ in 0..count {
            let (_, part) = decoder.decode(&mut wire).expect("valid");
            let message = assembler.push(part.expect("whole")).expect("valid");
            assert!(message.is_some());
            core::hint::black_box(&message);
        }
    }
}
