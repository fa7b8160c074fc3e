//! Gives the memory of a module another size.
//!
//! A guest's arena is whatever its memory leaves behind the stack and the statics, so its size is the size of the
//! memory, which is two numbers in one section. Only that section is written anew; every other byte stays.

use wasmparser::{BinaryReader, Result};

/// The id of the memory section.
const MEMORY_SECTION: u8 = 5;
/// The flags of a 32-bit memory with a maximum.
const WITH_MAXIMUM: u8 = 1;

/// The module with a memory of exactly so many pages: the same bytes if it has that already.
///
/// # Errors
///
/// If the sections cannot be walked, which a valid module's always can.
pub(super) fn resize(module: &[u8], pages: u64) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(module, 0);
    reader.read_bytes(8)?;
    while !reader.eof() {
        let begin = reader.original_position();
        let id = reader.read_u8()?;
        let len = reader.read_var_u32()?;
        let body = reader.read_bytes(len as usize)?;
        if id == MEMORY_SECTION {
            let end = reader.original_position();
            if is_fixed(body, pages) {
                break;
            }
            let section = section(pages);
            return Ok([&module[..begin], &section, &module[end..]].concat());
        }
    }
    Ok(module.to_vec())
}

/// Whether the section already says so, be it in more bytes than needed.
fn is_fixed(body: &[u8], pages: u64) -> bool {
    let mut reader = BinaryReader::new(body, 0);
    let mut read = || -> Result<bool> {
        let one_with_maximum = reader.read_var_u32()? == 1 && reader.read_u8()? == WITH_MAXIMUM;
        Ok(one_with_maximum && u64::from(reader.read_var_u32()?) == pages && u64::from(reader.read_var_u32()?) == pages)
    };
    read().unwrap_or(false)
}

fn section(pages: u64) -> Vec<u8> {
    let mut body = vec![1, WITH_MAXIMUM];
    leb128(pages, &mut body);
    leb128(pages, &mut body);
    let mut section = vec![MEMORY_SECTION];
    leb128(body.len() as u64, &mut section);
    section.extend(body);
    section
}

/// Appends a number as unsigned LEB128: seven bits to a byte, lowest first, the top bit set on all but the last.
fn leb128(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    into.push(value.to_le_bytes()[0]);
}
