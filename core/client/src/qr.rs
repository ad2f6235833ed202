//! QR codes (ISO/IEC 18004) as rows of modules, for whatever draws them.

use landfall_flows::QrPicture;
use qrcode::{Color, QrCode};

/// Light modules around a code, without which scanners do not find it.
pub(crate) const QUIET: usize = 4;

/// Draws `text`; no rows when it is too long for any QR code.
pub(crate) fn qr_picture(text: &str) -> QrPicture {
    let Ok(code) = QrCode::new(text) else { return QrPicture { rows: Vec::new() } };
    let row = |colors: &[Color]| colors.iter().map(|color| color.select('#', '.')).collect();
    QrPicture { rows: code.to_colors().chunks(code.width()).map(row).collect() }
}

/// The dark modules, by column and row, without the quiet zone.
pub(crate) fn dark(picture: &QrPicture) -> impl Iterator<Item = (usize, usize)> + '_ {
    let rows = picture.rows.iter().enumerate();
    rows.flat_map(|(y, row)| {
        row.bytes().enumerate().filter(|(_, cell)| *cell == b'#').map(move |(x, _)| (x, y))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_square_and_has_its_finder_patterns() {
        let picture = qr_picture("lf1.abc");
        let rows = &picture.rows;
        assert!(rows.iter().all(|row| row.len() == rows.len()));
        assert!(rows[0].starts_with("#######.") && rows[0].ends_with(".#######"));
        assert!(rows[rows.len() - 1].starts_with("#######."));
        assert_eq!(dark(&picture).next(), Some((0, 0)));
    }

    #[test]
    fn what_no_code_can_hold_is_no_picture() {
        assert!(qr_picture(&"x".repeat(10_000)).rows.is_empty());
    }
}
