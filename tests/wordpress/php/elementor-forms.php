<?php
defined('ELEMENTOR_PRO_VERSION') || define('ELEMENTOR_PRO_VERSION', '3.0.0');
