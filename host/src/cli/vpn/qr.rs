//! A QR code on a terminal: two rows of it in a line of text.

use qrcode::{Color, EcLevel, QrCode};

use crate::plan::Colour;

/// The light border without which scanners do not find the code; ISO/IEC 18004.
const QUIET: usize = 4;
/// White on black, whatever the terminal's own colours are.
const WHITE_ON_BLACK: &str = "\x1b[97;40m";
const AS_BEFORE: &str = "\x1b[0m";

/// The text as a QR code; `None`: it is too long for one.
///
/// Light is drawn and dark is left out, so that without colour it is right on a dark terminal.
pub(super) fn qr(text: &str, colour: Colour) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let is_light = |x: usize, y: usize| match (x.checked_sub(QUIET), y.checked_sub(QUIET)) {
        (Some(x), Some(y)) if x < width && y < width => colors.get(y * width + x) == Some(&Color::Light),
        _ => true,
    };
    let side = width + 2 * QUIET;
    let (before, after) = if colour == Colour::Always { (WHITE_ON_BLACK, AS_BEFORE) } else { ("", "") };
    let cell = |x: usize, y: usize| match (is_light(x, y), y + 1 < side && is_light(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let line = |y: usize| format!("{before}{}{after}\n", (0..side).map(|x| cell(x, y)).collect::<String>());
    Some((0..side).step_by(2).map(line).collect())
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result, ensure};

    use super::*;

    /// What a scanner reads from a photograph of the terminal.
    fn scanned(drawn: &str) -> Result<String> {
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let side = lines.first().context("nothing is drawn")?.len();
        const PIXELS: usize = 4;
        let grey = |x: usize, y: usize| {
            let (x, y) = (x / PIXELS, y / PIXELS);
            let cell = lines.get(y / 2).and_then(|line| line.get(x)).copied().unwrap_or(' ');
            let light = matches!((cell, y % 2), ('█', _) | ('▀', 0) | ('▄', 1));
            if light { u8::MAX } else { 0 }
        };
        let width = side * PIXELS;
        let photograph: Vec<u8> = (0..width * width).map(|pixel| grey(pixel % width, pixel / width)).collect();
        let mut scanner = quircs::Quirc::default();
        let code = scanner.identify(width, width, &photograph).next().context("no code is found")??;
        let text = String::from_utf8(code.decode()?.payload)?;
        Ok(text)
    }

    #[test]
    fn a_scanner_reads_what_was_drawn() -> Result<()> {
        let short = "[Interface]\nPrivateKey = x\n".to_owned();
        for text in [short.clone(), short.repeat(20), short.repeat(60)] {
            let drawn = qr(&text, Colour::Never).context("it fits")?;
            assert_eq!(scanned(&drawn)?, text);
            let coloured = qr(&text, Colour::Always).context("it fits")?;
            ensure!(coloured.lines().all(|line| line.starts_with(WHITE_ON_BLACK) && line.ends_with(AS_BEFORE)));
            assert_eq!(coloured.replace(WHITE_ON_BLACK, "").replace(AS_BEFORE, ""), drawn);
        }
        assert_eq!(qr(&short.repeat(200), Colour::Never), None);
        Ok(())
    }
}
