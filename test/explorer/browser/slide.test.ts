import { contract } from '../contract.ts'
import { slide } from '../pages/slide.ts'

contract(slide)
