import { render } from 'preact';

const root = document.getElementById('app');
if (root) render(<h1>PixelLab Command Center</h1>, root);
