//! Protobuf's wire format, as far as the messages of sdk/policy.proto need it. Text
//! and lists are read where they are, without a copy.

/// Bytes are not the message that was expected, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl From<Malformed> for crate::Error {
    fn from(m: Malformed) -> crate::Error {
        crate::Error::Fault(["malformed message: ", m.0].concat())
    }
}

enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

/// One field of a message.
pub struct Field<'a> {
    pub number: u32,
    value: Value<'a>,
}

impl<'a> Field<'a> {
    pub fn uint64(&self) -> Result<u64, Malformed> {
        match self.value {
            Value::Varint(n) => Ok(n),
            _ => Err(Malformed("number expected")),
        }
    }

    /// The low half of a longer number, as protobuf has it.
    pub fn uint32(&self) -> Result<u32, Malformed> {
        Ok(self.uint64()? as u32)
    }

    pub fn flag(&self) -> Result<bool, Malformed> {
        Ok(self.uint64()? != 0)
    }

    pub fn fixed64(&self) -> Result<u64, Malformed> {
        match self.value {
            Value::Fixed64(n) => Ok(n),
            _ => Err(Malformed("fixed number expected")),
        }
    }

    pub fn double(&self) -> Result<f64, Malformed> {
        Ok(f64::from_bits(self.fixed64()?))
    }

    pub fn bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.value {
            Value::Bytes(b) => Ok(b),
            _ => Err(Malformed("bytes expected")),
        }
    }

    pub fn text(&self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("text is not UTF-8"))
    }

    pub fn message(&self, read: impl FnMut(Field<'a>) -> Result<(), Malformed>) -> Result<(), Malformed> {
        each(self.bytes()?, read)
    }
}

/// Calls the function for each field of the message.
#[inline]
pub fn each<'a>(
    mut message: &'a [u8],
    mut read: impl FnMut(Field<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    while !message.is_empty() {
        read(next(&mut message)?)?;
    }
    Ok(())
}

#[inline]
fn varint(message: &mut &[u8]) -> Result<u64, Malformed> {
    match *message {
        [byte, rest @ ..] if *byte < 0x80 => {
            *message = rest;
            Ok(u64::from(*byte)) // as nearly all are
        }
        _ => long_varint(message),
    }
}

fn long_varint(message: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for (i, &byte) in message.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *message = &message[i + 1..];
            return Ok(value);
        }
    }
    Err(Malformed("bad varint"))
}

#[inline]
fn cut<'a>(message: &mut &'a [u8], size: u64) -> Result<&'a [u8], Malformed> {
    if size > message.len() as u64 {
        return Err(Malformed("cut short"));
    }
    let (head, rest) = message.split_at(size as usize);
    *message = rest;
    Ok(head)
}

#[inline]
fn next<'a>(message: &mut &'a [u8]) -> Result<Field<'a>, Malformed> {
    let tag = varint(message)?;
    let value = match tag & 7 {
        0 => Value::Varint(varint(message)?),
        1 => {
            let mut eight = [0; 8];
            eight.copy_from_slice(cut(message, 8)?);
            Value::Fixed64(u64::from_le_bytes(eight))
        }
        2 => {
            let size = varint(message)?;
            Value::Bytes(cut(message, size)?)
        }
        5 => {
            cut(message, 4)?;
            Value::Fixed32
        }
        _ => return Err(Malformed("unknown wire type")),
    };
    Ok(Field { number: (tag >> 3) as u32, value })
}

/// A message that is being written. Fields that are 0 or empty are left out.
pub struct Writer<'a>(pub &'a mut Vec<u8>);

impl Writer<'_> {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.varint(u64::from(field << 3));
            self.varint(value);
        }
    }

    pub fn flag(&mut self, field: u32, value: bool) {
        self.number(field, u64::from(value));
    }

    /// An entry of a list, or bytes that are there even when they are empty.
    pub fn entry(&mut self, field: u32, bytes: &[u8]) {
        self.varint(u64::from(field << 3 | 2));
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub fn bytes(&mut self, field: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.entry(field, bytes);
        }
    }

    pub fn text(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    pub fn fixed32s(&mut self, field: u32, list: &[u32]) {
        if !list.is_empty() {
            self.varint(u64::from(field << 3 | 2));
            self.varint(4 * list.len() as u64);
            self.numbers(list);
        }
    }

    #[cfg(target_endian = "little")]
    fn numbers(&mut self, list: &[u32]) {
        // They lie in memory as they do in a message.
        // SAFETY: the numbers are so many bytes, and every byte is good as a u8.
        let bytes = unsafe { std::slice::from_raw_parts(list.as_ptr().cast::<u8>(), std::mem::size_of_val(list)) };
        self.0.extend_from_slice(bytes);
    }

    #[cfg(not(target_endian = "little"))]
    fn numbers(&mut self, list: &[u32]) {
        for n in list {
            self.0.extend_from_slice(&n.to_le_bytes());
        }
    }

    /// A message in the message.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Writer)) {
        let mut inner = Vec::new();
        write(&mut Writer(&mut inner));
        self.entry(field, &inner);
    }
}
