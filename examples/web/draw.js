// The page: strokes on a canvas, what the model sees of them, what it says.
const SIZE = 8;  // the model's images have 8 x 8 cells with values from 0 to 1
const canvas = document.querySelector('canvas');
const clear = document.querySelector('button');
const status = document.querySelector('[role=status]');
const list = document.querySelector('ol');
const pen = canvas.getContext('2d', { willReadFrequently: true });
Object.assign(pen, { lineWidth: 30, lineCap: 'round', lineJoin: 'round' });

list.append(...Array.from({ length: 10 }, (_, digit) =>
  Object.assign(document.createElement('li'), { textContent: digit })));

const model = await tf.loadGraphModel('dist/digits/tfjs/model.json');
clear.disabled = false;
status.textContent = 'Ready.';

/** The part of each cell that is covered with ink, after the drawing is fitted into the square. */
function seen() {
  const { width, height } = canvas;
  const { data } = pen.getImageData(0, 0, width, height);
  const inked = (x, y) => (x >= 0 && y >= 0 && x < width && y < height ? data[4 * (y * width + x) + 3] / 255 : 0);
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (inked(x, y) > 0.5) {
        [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
      }
    }
  }
  if (right <= left) return null;
  const cell = Math.max(right - left, bottom - top) / SIZE;
  const start = [(left + right - cell * SIZE) / 2, (top + bottom - cell * SIZE) / 2];
  const steps = 8;  // samples per cell and axis
  return Float32Array.from({ length: SIZE * SIZE }, (_, index) => {
    const [column, row] = [index % SIZE, Math.floor(index / SIZE)];
    let sum = 0;
    for (let i = 0; i < steps * steps; i += 1) {
      const x = start[0] + (column + (i % steps + 0.5) / steps) * cell;
      const y = start[1] + (row + (Math.floor(i / steps) + 0.5) / steps) * cell;
      sum += inked(Math.floor(x), Math.floor(y));
    }
    return sum / (steps * steps);
  });
}

function show() {
  const image = seen();
  const parts = image && tf.tidy(() => {
    const digit = model.execute({ image: tf.tensor(image, [1, SIZE, SIZE, 1]) }, 'digit');
    return tf.softmax(digit).dataSync();
  });
  const best = parts ? parts.indexOf(Math.max(...parts)) : -1;
  [...list.children].forEach((item, digit) => {
    item.style.setProperty('--part', parts ? parts[digit] : 0);
    item.classList.toggle('best', digit === best);
  });
  status.textContent = parts ? `This is a ${best} (${(100 * parts[best]).toFixed(0)} %).` : 'Ready.';
}

canvas.addEventListener('pointerdown', ({ offsetX, offsetY, pointerId }) => {
  canvas.setPointerCapture(pointerId);
  pen.beginPath();
  pen.moveTo(offsetX, offsetY);
});
canvas.addEventListener('pointermove', ({ offsetX, offsetY, buttons }) => {
  if (!buttons) return;
  pen.lineTo(offsetX, offsetY);
  pen.stroke();
});
canvas.addEventListener('pointerup', show);
clear.addEventListener('click', () => {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  show();
});
