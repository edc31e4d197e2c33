//! A chart as SVG text or as PNG bytes.

use maud::html;
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::drawing::IntoDrawingArea;

use crate::chart::Chart;
use crate::chart::draw::{self, Canvas, Heading, Surface};
use crate::chart::font;
use crate::chart::theme::Theme;

/// A chart could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The drawing library refused.
    #[error("chart `{chart}` cannot be drawn: {reason}")]
    Drawing {
        /// Id of the chart.
        chart: String,
        /// What it says.
        reason: String,
    },
    /// The picture could not be encoded.
    #[error("chart `{chart}` cannot be encoded as PNG")]
    Encoding {
        /// Id of the chart.
        chart: String,
        /// What the encoder says.
        #[source]
        source: png::EncodingError,
    },
}

/// What a file of its own must name and an element of a page must not.
const NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// 144 dots an inch: a picture is pasted into a document or a slide about 27 cm wide.
const PIXELS_A_METRE: u32 = 5669;

/// Pictures are drawn this many times larger than they are stored: it smooths their edges.
const SUPERSAMPLING: u32 = 2;

impl Chart {
    /// A whole SVG file, light, with its title and the run it is of.
    pub(crate) fn to_svg_file(&self, source: &str) -> Result<String, ChartError> {
        self.svg(&Canvas::sheet(Surface::Vector, self.heading(source)))
    }

    fn heading(&self, source: &str) -> Heading {
        Heading {
            title: self.title.clone(),
            source: source.to_owned(),
        }
    }

    /// An SVG element for a page: it fills its container, light colours, no title of its own.
    pub(crate) fn to_inline_svg(&self, canvas: &Canvas) -> Result<String, ChartError> {
        let svg = self.svg(canvas)?;
        let (width, height) = canvas.size();
        // A fixed size would not follow the page's width; the label is what a screen reader says.
        // plotters writes the element's head itself and has no setting for either.
        let from = format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" xmlns=\"{NAMESPACE}\">"
        );
        let view = format!("0 0 {width} {height}");
        let open = html! { svg viewBox=(view) role="img" aria-label=(self.title); };
        Ok(svg.replacen(&from, &open.into_string(), 1))
    }

    /// A PNG file's bytes, light, with its title and the run it is of.
    pub(crate) fn to_png(&self, source: &str) -> Result<Vec<u8>, ChartError> {
        let canvas = Canvas::sheet(Surface::Pixels, self.heading(source)).enlarged(SUPERSAMPLING);
        let (width, height) = canvas.size();
        let mut pixels = vec![255; width as usize * height as usize * 3];
        self.draw_on(
            BitMapBackend::with_buffer(&mut pixels, (width, height)),
            &canvas,
        )?;
        let small = shrink(&pixels, width as usize, SUPERSAMPLING as usize);
        self.encode_png(&small, width / SUPERSAMPLING, height / SUPERSAMPLING)
    }

    fn svg(&self, canvas: &Canvas) -> Result<String, ChartError> {
        let mut svg = String::new();
        self.draw_on(SVGBackend::with_string(&mut svg, canvas.size()), canvas)?;
        // Text is followed by a line end, which would show as a space beside centred words.
        Ok(draw::joined(&draw::grouped(
            &svg.replace("\n</text>", "</text>"),
        )))
    }

    fn draw_on<B: DrawingBackend>(&self, backend: B, canvas: &Canvas) -> Result<(), ChartError> {
        font::register();
        let area = backend.into_drawing_area();
        let drawn = draw::figure(&self.figure, canvas, Theme::Light, &area);
        drawn
            .and_then(|()| area.present())
            .map_err(|error| ChartError::Drawing {
                chart: self.id.to_owned(),
                reason: error.to_string(),
            })
    }

    fn encode_png(&self, pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, ChartError> {
        let failed = |source| ChartError::Encoding {
            chart: self.id.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: PIXELS_A_METRE,
            yppu: PIXELS_A_METRE,
            unit: png::Unit::Meter,
        }));
        // A tenth of the time of the default for half as many bytes more.
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(pixels).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }
}

/// Averages squares of `factor` times `factor` pixels of an RGB picture `width` pixels wide.
fn shrink(pixels: &[u8], width: usize, factor: usize) -> Vec<u8> {
    let samples = (factor * factor) as u32;
    let mut small = Vec::with_capacity(pixels.len() / (factor * factor));
    for rows in pixels.chunks_exact(width * 3 * factor) {
        let mut sums = vec![0_u32; width / factor * 3];
        for row in rows.chunks_exact(width * 3) {
            for (sum, square) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * factor)) {
                for pixel in square.chunks_exact(3) {
                    sum[0] += u32::from(pixel[0]);
                    sum[1] += u32::from(pixel[1]);
                    sum[2] += u32::from(pixel[2]);
                }
            }
        }
        small.extend(sums.into_iter().map(|sum| (sum / samples) as u8));
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shrinking averages each square of pixels, channel by channel.
    #[test]
    fn shrinking_averages() {
        let pixels = [0, 10, 20, 4, 14, 24, 8, 18, 28, 12, 22, 32];

        let small = shrink(&pixels, 2, 2);

        assert_eq!(small, [6, 16, 26]);
    }
}
