//! The sheet as one page of PDF that fits A4 and Letter.

use super::paper::{Column, HAIR, LEFT, Paper, RIGHT, TOP, Types, print};
use super::{CODES, KEEP, LOST, SERVER, Sheet, USER, WHEN};
use crate::failure::Failure;
use crate::qr::{QUIET, dark, qr_picture};
use zeroize::Zeroizing;

const TITLE_SIZE: f32 = 22.0;
const HEADING_SIZE: f32 = 13.5;
const TEXT_SIZE: f32 = 11.0;
const LINE_SIZE: f32 = 10.5;
const CODE_SIZE: f32 = 14.0;
/// From one code to the next: enough to write a new one behind it.
const CODE_STEP: f32 = 23.5;
const QR_SIDE: f32 = 118.0;
/// A line to write on begins here.
const WRITE_FROM: f32 = 378.0;

impl Sheet<'_> {
    /// The sheet as one page of PDF.
    ///
    /// # Errors
    /// `internal` when it cannot be made.
    pub fn pdf(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        print(self.title(), |paper, types| {
            let mut column = Column { left: LEFT, right: RIGHT, y: TOP };
            paper.line(&types.bold, TITLE_SIZE, (LEFT, column.y), &self.title());
            column.y += 20.0;
            paper.text(TEXT_SIZE, &mut column, &format!("Made on {}. {KEEP}", self.made_on()));
            self.list(paper, types, &mut column);
            self.server(paper, types, &mut column);
            self.codes(paper, types, &mut column);
            paper.text(TEXT_SIZE, &mut column, LOST);
        })
    }

    fn list(&self, paper: &mut Paper<'_, '_>, types: &Types, column: &mut Column) {
        heading(paper, types, column, WHEN);
        for (place, step) in self.steps().iter().enumerate() {
            paper.line(&types.regular, TEXT_SIZE, (LEFT, column.y), &format!("{}.", place + 1));
            let mut indented = Column { left: LEFT + 18.0, ..*column };
            paper.text(TEXT_SIZE, &mut indented, step);
            column.y = indented.y + 1.5;
        }
    }

    fn server(&self, paper: &mut Paper<'_, '_>, types: &Types, column: &mut Column) {
        let top = column.y + 6.0;
        let line = self.server.to_string();
        picture(paper, &line, (RIGHT - QR_SIDE, top));
        heading(paper, types, column, SERVER);
        let mut beside = Column { right: RIGHT - QR_SIDE - 12.0, ..*column };
        // The address on its own lines, then the fingerprint, whole groups to a line.
        let (address, fingerprint) = line.split_at(line.find('#').map_or(line.len(), |at| at + 1));
        paper.broken_line(LINE_SIZE, &mut beside, address, &['.', '/']);
        paper.broken_line(LINE_SIZE, &mut beside, fingerprint, &['-']);
        heading(paper, types, &mut beside, USER);
        paper.broken_line(CODE_SIZE, &mut beside, self.user.as_str(), &['-', '.', '_']);
        column.y = beside.y.max(top + QR_SIDE + 4.0);
    }

    fn codes(&self, paper: &mut Paper<'_, '_>, types: &Types, column: &mut Column) {
        heading(paper, types, column, CODES);
        column.y += 2.0;
        for (place, code) in self.code_texts().enumerate() {
            paper.tick_box(LEFT, column.y - 9.5, 10.0);
            paper.line(
                &types.regular,
                TEXT_SIZE,
                (LEFT + 18.0, column.y),
                &format!("{}.", place + 1),
            );
            paper.line(&types.mono, CODE_SIZE, (LEFT + 38.0, column.y), &code);
            paper.dark(WRITE_FROM, column.y + 2.0, RIGHT - WRITE_FROM, HAIR);
            column.y += CODE_STEP;
        }
    }
}

fn heading(paper: &mut Paper<'_, '_>, types: &Types, column: &mut Column, words: &str) {
    column.y += 10.0;
    paper.line(&types.bold, HEADING_SIZE, (column.left, column.y), words);
    column.y += 17.0;
}

/// The server's line to scan. It holds no secret.
fn picture(paper: &mut Paper<'_, '_>, line: &str, (left, top): (f32, f32)) {
    let drawn = qr_picture(line);
    let cell = QR_SIDE / (drawn.rows.len() + 2 * QUIET) as f32;
    for (x, y) in dark(&drawn) {
        let at = |place: usize| (place + QUIET) as f32 * cell;
        // A little larger than its cell, so that no hair of paper shows between neighbours.
        paper.dark(left + at(x), top + at(y), cell + 0.05, cell + 0.05);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_sheet;
    use std::process::Command;

    /// What poppler reads on a page of this size, cut out of the middle of the sheet's: as paper of that
    /// size shows it when it is printed unscaled.
    fn read(pdf: &[u8], (width, height): (u32, u32)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("codes.pdf");
        std::fs::write(&file, pdf).unwrap();
        let words = |n: u32| n.to_string();
        let (x, y) = (595_u32.saturating_sub(width) / 2, 842_u32.saturating_sub(height) / 2);
        let read = Command::new("pdftotext")
            .args(["-layout", "-r", "72", "-x", &words(x), "-y", &words(y)])
            .args(["-W", &words(width), "-H", &words(height)])
            .args([file.as_os_str(), "-".as_ref()])
            .output()
            .unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        String::from_utf8(read.stdout).unwrap()
    }

    fn plain(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    #[test]
    fn every_code_and_the_server_line_are_read_back_from_a4_and_letter() {
        // Less than Letter and A4 by the 18 points that printers leave blank on each side.
        for paper in [(576, 756), (559, 806)] {
            for host in [8, 200] {
                with_sheet(host, |sheet| {
                    let pdf = sheet.pdf().unwrap();
                    let text = plain(&read(&pdf, paper));
                    assert!(text.contains(&plain(&sheet.server.to_string())), "{text}");
                    for code in sheet.code_texts() {
                        assert!(text.contains(code.as_str()), "{text}");
                    }
                    for words in [
                        "RecoverycodesofbertMadeon2026-11-21",
                        "landfallrecover",
                        "stopworkingatonce.",
                    ] {
                        assert!(text.contains(words), "{words}: {text}");
                    }
                });
            }
        }
    }

    #[test]
    fn it_is_one_page_of_a4_with_its_own_letters() {
        with_sheet(200, |sheet| {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("codes.pdf");
            std::fs::write(&file, &*sheet.pdf().unwrap()).unwrap();
            let ask = |program: &str| {
                let said = Command::new(program).arg(&file).output().unwrap();
                String::from_utf8(said.stdout).unwrap()
            };
            let info = ask("pdfinfo");
            assert!(info.contains("Recovery codes of bert") && info.contains("A4"), "{info}");
            assert!(info.lines().any(|line| plain(line) == "Pages:1"), "{info}");
            let fonts = ask("pdffonts");
            let ours = fonts.lines().skip(2).filter(|line| line.contains("AtkinsonHyperlegible"));
            assert_eq!((ours.count(), fonts.lines().count()), (3, 5), "{fonts}");
        });
    }
}
